import type { AudienceChange, CanonicalEvent } from "../../rules/event.ts";
import { foldName } from "../../rules/fold.ts";
import { readEnvelope, segmentConsent } from "./envelope.ts";
import { asFlag, asObject, asText, type Bag, firstText, notice } from "./read.ts";
import { MAX_CHANGES, totalSource } from "./source.ts";
import { addTraits } from "./traits.ts";

/** RudderStack: Segment's envelope with its own consent, audience lists and record events. */
export const rudderstack = totalSource("rudderstack", read);

function read(input: Bag): CanonicalEvent {
  const { event, type, properties, context } = readEnvelope("rudderstack", input);
  for (const entry of Array.isArray(context.externalId) ? context.externalId.slice(0, 50) : []) {
    const { type: kind, id } = asObject(entry);
    const [name, value] = [asText(kind), asText(id)];
    if (name !== undefined && value !== undefined && name !== "__proto__") event.ids.external[name] = value;
  }
  const consent = consentOf(asObject(context.consentManagement ?? input.consentManagement)) ?? segmentConsent(context);
  if (consent) event.consent = consent;
  if (type === "audiencelist") readList(event, properties, context);
  else if (type === "record") readRecord(event, input, context);
  else readAudience(event, properties);
  return event;
}

/** Ids the person allowed and denied; an id in neither list says nothing. */
function consentOf(management: Bag): Record<string, boolean> | undefined {
  const [allowed, denied] = [management.allowedConsentIds, management.deniedConsentIds];
  if (allowed === undefined && denied === undefined) return undefined;
  const consent: Record<string, boolean> = {};
  for (const id of idsOf(allowed)) consent[id] = true;
  for (const id of idsOf(denied)) consent[id] = false;
  return consent;
}

/** A list of ids, or per-purpose lists in an object as some providers write it. */
function idsOf(list: unknown): string[] {
  const entries = Array.isArray(list) ? list : Object.values(asObject(list)).flat();
  return entries.slice(0, 500).flatMap((entry) => {
    const id = asText(entry) ?? asText(asObject(entry).id);
    return id === undefined || id === "__proto__" ? [] : [id];
  });
}

/** The list or model a warehouse sync is about: RudderStack names it only in its own sources context. */
function audienceKey(properties: Bag, context: Bag): string {
  const from = asObject(context.sources);
  return (
    firstText(properties.audience_key, properties.audienceName, properties.audience_name, from.job_id, from.task_id) ??
    ""
  );
}

function readList(event: CanonicalEvent, properties: Bag, context: Bag): void {
  event.kind = "audience";
  event.name = "audiencelist";
  const key = audienceKey(properties, context);
  const lists = asObject(properties.listData);
  for (const op of ["add", "remove"] as const) {
    const users = lists[op];
    if (!Array.isArray(users)) continue;
    for (const user of users.slice(0, MAX_CHANGES - event.audiences.length))
      event.audiences.push(member(key, op, asObject(user)));
    if (users.length > MAX_CHANGES) event.issues.push(tooMany(op));
  }
  // The list stays where it is: the event's own properties need no copy of ten thousand people.
  event.properties = Object.fromEntries(Object.entries(properties).filter(([name]) => name !== "listData"));
}

function member(key: string, op: "add" | "remove", user: Bag): AudienceChange {
  const traits: Record<string, unknown> = {};
  addTraits(traits, user);
  return { key, op, traits };
}

function tooMany(op: string) {
  return notice(
    `properties.listData.${op}`,
    "too_many_members",
    `Only the first ${MAX_CHANGES} members of a list event are read.`,
    "Send the list in smaller events.",
  );
}

/** `record`: one row of a warehouse sync; insert and update make a member, delete ends it. */
function readRecord(event: CanonicalEvent, input: Bag, context: Bag): void {
  event.kind = "audience";
  event.name = "record";
  const action = asText(input.action)?.toLowerCase();
  const op = action === "delete" ? "remove" : action === "insert" || action === "update" ? "add" : undefined;
  const fields = { ...asObject(input.fields), ...asObject(input.identifiers) };
  addTraits(event.traits, fields);
  event.properties = fields;
  const id = asText(input.recordId);
  if (id !== undefined) event.ids.external.record_id = id;
  if (op) event.audiences.push({ key: audienceKey(asObject(input.properties), context), op });
  else
    event.issues.push(
      notice("action", "action_unknown", "A record's action is insert, update or delete.", "Send one of the three."),
    );
}

/** A track call that names an audience, as event streams send it. */
function readAudience(event: CanonicalEvent, properties: Bag): void {
  const named = OPERATIONS.get(event.kind === "track" ? foldName(event.name) : "");
  const key = firstText(
    properties.audience_key,
    properties.segment_name,
    properties.audience_name,
    properties.audience,
  );
  if (!named) return;
  const present = key === undefined ? undefined : asFlag(properties[key]);
  event.audiences.push({ key: key ?? "", op: present === undefined ? named : present ? "add" : "remove" });
  event.kind = "audience";
}

const OPERATIONS = new Map<string, "add" | "remove">([
  ["audienceentered", "add"],
  ["audienceexited", "remove"],
  ["addedtosegment", "add"],
  ["removedfromsegment", "remove"],
]);
