import type { Reason } from "../rules/event.ts";

/** What happened, in a marketer's words, and what to do about it. */
export interface ReasonWords {
  message: string;
  fix: string;
}

/** Every reason a decision of the router may carry. */
export const REASONS: Readonly<Record<string, ReasonWords>> = {
  rule_disabled: {
    message: "Both toggles of this event are off.",
    fix: "Switch the event on in the event list.",
  },
  client_only: {
    message: "This event is sent from the visitor's browser only.",
    fix: "Switch the server-side toggle on to send it from the server as well; Snapchat counts it once.",
  },
  client_off: {
    message: "The client-side toggle of this event is off.",
    fix: "Switch it on to send the event from the visitor's browser as well.",
  },
  server_off: {
    message: "The server-side toggle of this event is off.",
    fix: "Switch it on to send the event from the server.",
  },
  server_side_off: {
    message: "Sending from the server is switched off for this destination.",
    fix: "Switch server-side sending on in the destination's settings.",
  },
  filter_not_met: {
    message: "The event does not meet the rule's conditions.",
    fix: "Change the conditions if such events should be sent.",
  },
  consent_denied: {
    message: "The person refused a consent this rule needs.",
    fix: "Nothing to do: the refusal is respected.",
  },
  consent_absent: {
    message: "The event says nothing about a consent this rule needs, and absent counts as refused.",
    fix: "Send the consent with the event, or decide that absent counts as granted where the law allows it.",
  },
  unknown_event: {
    message: "The event list has no row for this event.",
    fix: "Add a rule for the event, or give the name of a row as its alias.",
  },
  no_rule: {
    message: "This kind of event is about a person and is no conversion, or its row is not in the workflow.",
    fix: "Nothing to do, unless a rule for it is missing.",
  },
  event_name_missing: {
    message: "The event has no name.",
    fix: "Send the event's name; the source says where it belongs.",
  },
  event_unreadable: {
    message: "The event could not be read.",
    fix: "Send the event as a plain object in the format of the source.",
  },
  segment_missing: {
    message: "The event says that someone entered or left a segment, and not which one.",
    fix: "Name the path of the segment in the workflow: audience.key.",
  },
  no_member_identifier: {
    message:
      "Nobody can be found in a Snapchat list by this event: it has no e-mail address, phone number or mobile ad id.",
    fix: "Send at least one of the three with membership events.",
  },
  server_only_segment: {
    message: "Segments are kept in step by the server; a browser cannot do it.",
    fix: "Use the server-side toggle.",
  },
  server_only_app: {
    message: "This event happens in an app; the pixel works on web pages only.",
    fix: "Use the server-side toggle.",
  },
  pixel_missing: {
    message: "No Snap Pixel is chosen for this destination.",
    fix: "Choose a pixel in the destination's settings.",
  },
  mobile_app_missing: {
    message: "No Snap app is chosen for this destination, and this event happens in an app.",
    fix: "Choose the app in the destination's settings.",
  },
  ad_account_missing: {
    message: "No ad account is chosen for this destination; segments belong to one.",
    fix: "Choose an ad account in the destination's settings.",
  },
  credential_missing: {
    message: "There is neither a Conversions API token nor a login with Snapchat.",
    fix: "Paste a Conversions API token or authenticate with Snapchat.",
  },
  login_missing: {
    message: "Nobody has signed in with Snapchat; customer lists need a login.",
    fix: "Authenticate with Snapchat.",
  },
  reauthorize: {
    message: "The login with Snapchat has ended.",
    fix: "Authenticate with Snapchat again.",
  },
  not_in_workflow: {
    message: "Your customers' events include this one; no row of the workflow uses it.",
    fix: "Add a rule for it, or give the name of a row as its alias.",
  },
};

/**
 * The words of a reason; a reason nobody knows is shown as it is.
 *
 * @example
 * ```ts
 * import { reasonWords } from "snapchat-destination/workflow";
 *
 * reasonWords("reauthorize").fix; // "Authenticate with Snapchat again."
 * ```
 */
export function reasonWords(reason: Reason): ReasonWords {
  return Object.hasOwn(REASONS, reason) ? (REASONS[reason] as ReasonWords) : { message: reason, fix: "" };
}
