import { SnapchatError } from "../errors.ts";

/** The ways a sign-in ends that are ours to name; Snapchat's are in `oauth-failure.ts`. */

export function foreignState(): SnapchatError {
  return new SnapchatError({
    code: "oauth_state_foreign",
    kind: "fix_data",
    message: "This sign-in began in another browser.",
    fix: "Start and finish it in the same browser with cookies allowed; connect and callback must be on the same host.",
  });
}

export function replayed(): SnapchatError {
  return new SnapchatError({
    code: "oauth_state_replayed",
    kind: "fix_data",
    message: "This sign-in was finished already.",
    fix: "Look at the destination's settings page; start again from there if it is not connected.",
  });
}

export function methodRefused(): SnapchatError {
  return new SnapchatError({
    code: "sign_in_method_refused",
    kind: "fix_configuration",
    message: "The way back from Snapchat is a GET request.",
    fix: "Route GET requests to the callback, as they come.",
  });
}

export function notAuthorized(): SnapchatError {
  return new SnapchatError({
    code: "oauth_not_authorized",
    kind: "fix_data",
    message: "You may not change this destination.",
    fix: "Sign in here as somebody who may, then start again.",
  });
}

export function nothingToConnect(): SnapchatError {
  return new SnapchatError({
    code: "connect_target_missing",
    kind: "fix_configuration",
    message: "A sign-in needs a tenant and a destination.",
    fix: "Pass `tenantId` and `destinationId`.",
  });
}

export function wrongKindOfApp(cause: SnapchatError): SnapchatError {
  return new SnapchatError({
    code: "oauth_app_unfit",
    kind: "fix_configuration",
    message: "Snapchat gave a token that its Marketing API does not accept.",
    fix: "Use an OAuth app made in Business Manager, Business Details, OAuth Apps; keys of Snap Kit or Login Kit do not work here.",
    details: cause.details,
  });
}

export function codeRefused(cause: SnapchatError): SnapchatError {
  return new SnapchatError({
    code: "oauth_code_refused",
    kind: "reauthorize",
    message: "Snapchat did not accept the sign-in code: it was used already, or it is too old.",
    fix: "Start again from the destination's settings page.",
    details: cause.details,
  });
}
