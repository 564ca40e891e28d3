import type { CanonicalEvent } from "../../rules/event.ts";
import { foldName } from "../../rules/fold.ts";
import { type Envelope, readEnvelope, segmentConsent } from "./envelope.ts";
import { asFlag, asObject, asText, type Bag, remembered } from "./read.ts";
import { totalSource } from "./source.ts";

/** Segment's Common, E-commerce, consent and Engage audience formats. */
export const segment = totalSource("segment", read);

function read(input: Bag): CanonicalEvent {
  const envelope = readEnvelope("segment", input);
  const { event, context } = envelope;
  const consent = segmentConsent(context);
  if (consent) event.consent = consent;
  readAudience(envelope, asObject(input.traits));
  return event;
}

/**
 * A computed audience comes as a track call (Audience Entered, or renamed) with `audience_key`, as an identify call
 * with the key among the traits and `context.personas`, or from a journey with a key `j_o_…`. Whether someone entered
 * is what stands under the key (also as text), and only then the event's name.
 */
function readAudience({ event, properties, context }: Envelope, traits: Bag): void {
  const named = event.kind === "track" ? operationOf(event.name) : undefined;
  // Nearly every event: nothing in it speaks of an audience.
  if (
    named === undefined &&
    properties.audience_key === undefined &&
    traits.audience_key === undefined &&
    context.personas === undefined &&
    !hasJourney(properties) &&
    !hasJourney(traits)
  ) {
    return;
  }
  const personas = asObject(context.personas);
  const computed = /audience|journey/i.test(asText(personas.computation_class) ?? "");
  const own = [properties, traits].flatMap((bag) => asText(bag.audience_key) ?? []);
  const keys = [
    ...own,
    ...(computed ? [asText(personas.computation_key)] : []),
    ...journeyKeys(properties),
    ...journeyKeys(traits),
  ];
  for (const key of new Set(keys)) {
    if (key === undefined) continue;
    const present = asFlag(properties[key]) ?? asFlag(traits[key]);
    const op = present === undefined ? named : present ? "add" : "remove";
    if (op) event.audiences.push({ key, op });
  }
  if (event.audiences.length === 0 && named) event.audiences.push({ key: "", op: named });
  if (event.audiences.length && event.kind === "track") event.kind = "audience";
}

const OPERATIONS = new Map<string, "add" | "remove">([
  ["audienceentered", "add"],
  ["audienceexited", "remove"],
  ["addedtosegment", "add"],
  ["removedfromsegment", "remove"],
]);

const operationOf = remembered((name) => OPERATIONS.get(foldName(name)));

function hasJourney(bag: Bag): boolean {
  for (const key in bag) if (key.startsWith("j_o_")) return true;
  return false;
}

function journeyKeys(bag: Bag): string[] {
  return Object.keys(bag).filter((key) => key.startsWith("j_o_") && asFlag(bag[key]) !== undefined);
}
