import { type Check, ok, problem, warning } from "./engine.ts";
import type { SetupFacts } from "./facts.ts";

const GENERATE =
  "In the Snapchat Business Dashboard open Business Details, scroll to Conversions API Tokens, generate one, and paste it here.";

/** Whether Snapchat takes the pasted token, and why to paste one. */
export const conversionsToken: Check<SetupFacts> = {
  name: "conversions_token",
  look({ destination, connection }) {
    const status = destination.token?.status;
    if (status === "accepted") return [ok("conversions_token", "Snapchat accepts the Conversions API token.")];
    if (status === "unconfirmed") {
      return [
        warning(
          "token_unconfirmed",
          "Snapchat has not accepted the Conversions API token yet; a new one may need an hour.",
          "Wait: it is asked again every five minutes. Still so after two hours? Generate a new token for this business.",
        ),
      ];
    }
    if (status === "refused") {
      return [
        problem(
          "token_refused",
          "Snapchat refuses the Conversions API token: it was deleted, or belongs to a business that does not own this Snap Pixel.",
          GENERATE,
        ),
      ];
    }
    // Without a login either, the login's line says that nothing can be sent.
    if (connection?.status !== "connected") return [];
    return [
      warning(
        "token_missing",
        "There is no Conversions API token. Events go out with the sign-in, which shares 20 requests a second with every other customer of this platform; a token of your own has 1,000.",
        GENERATE,
      ),
    ];
  },
};

/** What marks this platform's events, and what keeps them from being counted. */
export const modes: Check<SetupFacts> = {
  name: "modes",
  look({ destination: { settings } }) {
    const lines = [];
    if (settings.validateOnly) {
      lines.push(
        warning(
          "validate_only_on",
          "Check-only mode is on: Snapchat looks at events and counts none.",
          "Switch it off to go live.",
        ),
      );
    }
    if (settings.testEventCode !== undefined) {
      lines.push(
        warning(
          "test_mode_on",
          "Test mode is on: events go to the test log and are not counted.",
          "Remove the test event code to go live.",
        ),
      );
    }
    return lines.length > 0 ? lines : [ok("modes", "Events are sent to be counted.")];
  },
};

/** Snapchat asks partners to name themselves. */
export const integration: Check<SetupFacts> = {
  name: "integration",
  look({ integration }) {
    if (integration !== undefined) return [ok("integration", "Events carry this platform's name.")];
    return [
      warning(
        "integration_missing",
        "Events do not carry this platform's name; Snapchat asks partners to set it.",
        "Set “integration” in the settings to the platform's name.",
      ),
    ];
  },
};

const NO_WORKFLOW = "There is no event workflow: nothing is sent.";
const CHOOSE = "Choose the events to send and save.";

/** Whether anything is switched on that could leave. */
export const switches: Check<SetupFacts> = {
  name: "switches",
  look({ destination, tenant, toggles }) {
    if (tenant !== "active") {
      return [
        problem(
          "tenant_suspended",
          "This customer is suspended: nothing is taken in and nothing leaves.",
          "Resume the customer.",
        ),
      ];
    }
    const off = warning(
      "destination_disabled",
      "The destination is switched off.",
      "Switch it on when all else is fine.",
    );
    if (destination.workflow === undefined) {
      return destination.enabled
        ? [problem("workflow_missing", NO_WORKFLOW, CHOOSE)]
        : [off, warning("workflow_missing", NO_WORKFLOW, CHOOSE)];
    }
    if (!destination.enabled) return [off];
    if (toggles && toggles.server + toggles.client + toggles.audience === 0) {
      return [
        warning(
          "nothing_switched_on",
          "No event of the workflow is switched on: nothing is sent.",
          "Switch on the events to send.",
        ),
      ];
    }
    if (toggles && toggles.server > 0 && !destination.serverSide) {
      return [
        warning(
          "server_side_off",
          `“Send data via server-side” is off although ${toggles.server} event${toggles.server === 1 ? " is" : "s are"} switched on for it: those are skipped.`,
          "Switch “Send data via server-side” on, or switch those events off.",
        ),
      ];
    }
    return [ok("switches", "The destination is on.")];
  },
};

/** Whether Snapchat has a name for what the rules send. */
export const eventNames: Check<SetupFacts> = {
  name: "event_names",
  look({ destination, ownNames }) {
    if (destination.settings.freeEventNames) return [];
    return ownNames.map(({ rule, name }) =>
      problem(
        "event_name_unknown",
        `The rule “${rule}” sends ${name}, which is none of Snapchat's event names: its events are rejected.`,
        "Choose one of Snapchat's names in the rule, or switch “Event names of your own” on in the settings.",
      ),
    );
  },
};
