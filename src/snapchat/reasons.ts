import { REPAIRS, type Repair } from "../capi/index.ts";
import { IDENTITY_REASONS } from "../identity/index.ts";
import { REASONS, type ReasonWords } from "../workflow/index.ts";

type Reasons = Readonly<Record<string, ReasonWords>>;

/** Reasons that mean the same to whoever reads them. */
interface ReasonSection {
  title: string;
  about: string;
  reasons: Reasons;
}

/** Why a destination as a whole took no event. */
const NOT_OFFERED: Reasons = {
  no_destination: {
    message: "The tenant has no destination, or none of those that the call names.",
    fix: "Compare the tenant's id and `destinations` with what tenant(id).destinations.list() shows.",
  },
  destination_disabled: {
    message: "The destination is off.",
    fix: "Switch it on with destinations.enable(); preflight says what keeps it from that.",
  },
  tenant_suspended: {
    message: "The tenant is suspended, or is being removed.",
    fix: "Call tenants.resume() once it shall send again.",
  },
  no_workflow: {
    message: "The destination has no workflow.",
    fix: "Save a workflow made by a preset.",
  },
  source_unknown: {
    message: "The destination's workflow is for a source that is not known here.",
    fix: "Plug in its source, or save a workflow of a source that is.",
  },
  workflow_newer: {
    message: "A newer version of the software saved this destination's workflow.",
    fix: "Update snapchat-destination on this machine.",
  },
  workflow_invalid: {
    message:
      "The destination's workflow does not hold any more: it names a function or operator that is gone, for one.",
    fix: "Bring the plugin back, or save the workflow again: saving says what is wrong.",
  },
};

const SKIPPED: Reasons = {
  ...pick("rule_disabled", "client_only"),
  sent_by_browser: {
    message: "The visitor's browser sends this event, with the same id as the server; Snapchat counts it once.",
    fix: "Nothing to do.",
  },
  ...pick("server_side_off", "filter_not_met", "consent_denied", "consent_absent", "unknown_event", "no_rule"),
  ...pick("no_member_identifier"),
  segment_stopped: {
    message: "The segment is no longer kept in step, as somebody decided.",
    fix: "Call segments.recreate() or segments.link() to go on with it.",
  },
};

const DUPLICATE: Reasons = {
  already_stored: {
    message: "The same call was stored before, less than 48 hours after it was delivered.",
    fix: "Nothing to do: a repeated call is answered, not repeated.",
  },
  twice_in_this_call: {
    message: "The same event stands twice in this call.",
    fix: "Nothing to do: it is sent once.",
  },
};

const REJECTED: Reasons = {
  // Where the workflow says the same, its words are about the host's event.
  ...repairs("error"),
  ...pick("event_unreadable", "event_name_missing", "segment_missing"),
  segment_key_too_long: {
    message: "The event names a segment by a text that is too long to be a key.",
    fix: "Send the segment's key or name, at most 400 characters; the workflow's `audience.key` says where it is read.",
  },
  ...pick("pixel_missing", "mobile_app_missing"),
  order_not_promised: {
    message: "A change of membership has to be sent in order, and the caller did not say that its queue keeps one.",
    fix: "Partition the queue by groupKey, send one batch of a key at a time, and pass { ordered: true }; or use track.",
  },
  plugin_failed: {
    message: "A plugin that has to be asked about the event failed; `detail.plugin` names it.",
    fix: "Look at the plugin; testPlugin() tries its hooks.",
  },
};

/** What `sendNow` says besides, which hears Snapchat's answer. */
const SENT_NOW: Reasons = {
  validated_only: {
    message: "Snapchat judged the event and counted nothing: the destination is set to check only.",
    fix: "Switch check only off to have events counted.",
  },
  identifiers_not_taken: {
    message: "Snapchat says that it took fewer identifiers than it was sent; the outcome's message says how many.",
    fix: "It does not say which ones, so nothing is to be offered again. Look at the segment's size once it is matched.",
  },
  withdrawn: {
    message: "The person withdrew after the event was accepted.",
    fix: "Nothing to do: the withdrawal is respected.",
  },
  reauth_required: {
    message: "Snapchat no longer accepts the login or the token.",
    fix: "Let a person who may manage the ad account sign in at Snapchat again; keep the event until then.",
  },
  forbidden: {
    message: "Snapchat does not let this login or token send to the chosen asset.",
    fix: "Choose an asset the login may use, or give its person a role there; keep the event until then.",
  },
  operator: {
    message: "Somebody paused delivery.",
    fix: "Call resume(); keep the event until then.",
  },
  segment_deleted: {
    message: "The segment was deleted in Ads Manager.",
    fix: "Decide with segments.recreate() or segments.stop(); keep the event until then.",
  },
  segment_busy: {
    message: "Another process makes the segment just now.",
    fix: "Offer the event again after `retryAfterMs`.",
  },
  circuit_open: {
    message: "Snapchat has not answered for this asset lately; one request at a time looks whether it does again.",
    fix: "Offer the event again after `retryAfterMs`.",
  },
  rate_limited: {
    message: "Snapchat asks to slow down.",
    fix: "Offer the event again after `retryAfterMs`.",
  },
};

/** How an item ends that was queued: on its dead letter, and in the journal. */
const ENDED: Reasons = {
  rejected: {
    message: "Snapchat refused it; deadLetters.list() shows its own words.",
    fix: "Mend what Snapchat names, then replay the dead letter.",
  },
  outcome_unknown: {
    message: "Snapchat may have taken it, and would not recognise it any more if it came again.",
    fix: "Leave it, or replay with `resendUnknown` where counting twice is better than not at all.",
  },
  attempts_exhausted: {
    message: "Snapchat did not take it in 200 tries.",
    fix: "Replay it once Snapchat answers again.",
  },
  event_too_old: {
    message: "The event became older than Snapchat takes before it could be sent.",
    fix: "Look at why it waited; Snapchat does not take it any more.",
  },
  expired: {
    message: "It waited for 37 days, paused for example.",
    fix: "Replay what is still young enough.",
  },
  dropped: {
    message: "Somebody dropped the queue: a destination was disabled or moved with `drop`, or its segment removed.",
    fix: "Nothing to do; replay brings it back where that was a mistake.",
  },
  crashes_worker: {
    message: "Every worker that took it died.",
    fix: "Look at the process's own log, then replay it.",
  },
  payload_lost: {
    message: "The storage has the entry and no longer its content.",
    fix: "Look at what removes values from the engine; offer the event again.",
  },
};

/** Shown by the event list, which says why a toggle cannot be switched or has no effect. */
const EVENT_LIST: Reasons = REASONS;

/** Every reason, in the order of the page `docs/reasons.md`; a reason's words are those of the first that names it. */
export const REASON_SECTIONS: readonly ReasonSection[] = [
  {
    title: "Not offered",
    about: "`skipped`: the tenant, or the destination as a whole, takes no event. `rule` is empty.",
    reasons: NOT_OFFERED,
  },
  {
    title: "Skipped",
    about:
      "`skipped`: the event was read, and a toggle, a condition, consent or a missing rule says that nothing is to be sent. A plugin that drops an event says so in a code of its own, with its name in `detail.plugin`.",
    reasons: SKIPPED,
  },
  { title: "Duplicate", about: "`duplicate`: it is on its way, or left already.", reasons: DUPLICATE },
  {
    title: "Rejected",
    about: "`rejected`: Snapchat would refuse the event, or count it wrongly. `path` names the field.",
    reasons: REJECTED,
  },
  {
    title: "Rejected for a field",
    about:
      "`rejected`: the same finding as an issue only repairs the event. It rejects a PURCHASE that it leaves without value or currency, and any event where the destination's policy is `strict`.",
    reasons: repairs("repaired"),
  },
  {
    title: "Rejected for an identifier",
    about: "`rejected`, where the policy is `strict`; else the identifier is left out and an issue says so.",
    reasons: IDENTITY_REASONS,
  },
  {
    title: "Of sendNow",
    about:
      "Outcomes of `sendNow` carry these besides. Others of its codes are Snapchat's own, and those of [errors](errors.md).",
    reasons: SENT_NOW,
  },
  {
    title: "After it was queued",
    about: "Reasons of [dead letters](delivery.md#dead-letters-and-replay) and of a receipt's `end` in the journal.",
    reasons: ENDED,
  },
  {
    title: "In the event list",
    about: "`events.list` and the rules of `explain` say with these why a toggle is off or cannot be switched.",
    reasons: EVENT_LIST,
  },
].map(({ title, about, reasons }, index, all) => ({
  title,
  about,
  reasons: notIn(all.slice(0, index), reasons),
}));

/** Each reason once. */
function notIn(before: readonly ReasonSection[], reasons: Reasons): Reasons {
  const own = Object.entries(reasons).filter(
    ([code]) => !before.some((section) => Object.hasOwn(section.reasons, code)),
  );
  return Object.fromEntries(own.map(([code, { message, fix }]) => [code, Object.freeze({ message, fix })]));
}

function pick(...codes: string[]): Reasons {
  return Object.fromEntries(codes.map((code) => [code, REASONS[code] as ReasonWords]));
}

function repairs(severity: Repair["severity"]): Reasons {
  const found = Object.entries<Repair>(REPAIRS).filter(([, repair]) => repair.severity === severity);
  return Object.fromEntries(
    found.map(([code, { message, fix }]) => [code, { message: message.replace("{path}", "The field"), fix }]),
  );
}
