import { checkRedirectUri } from "../auth/index.ts";
import { SnapchatError } from "../errors.ts";
import { type Endpoints, SNAPCHAT_ENDPOINTS } from "../wire/endpoints.ts";
import type { SnapchatApp, SnapchatOptions } from "./options.ts";

/** The options after their checks: what is wrong is said when the program starts, not when a customer clicks. */
export interface CheckedOptions {
  apps: Readonly<Record<string, SnapchatApp>>;
  endpoints: Endpoints;
}

/** @throws {SnapchatError} `storage_missing`, `app_missing`, `redirect_uri_insecure`, `endpoint_not_allowed`, `loss_not_accepted` */
export function checkOptions(options: SnapchatOptions): CheckedOptions {
  if (!options?.storage?.records || !options.storage.outbox) {
    throw wrong(
      "storage_missing",
      "createSnapchat needs a storage.",
      'Pass `storage: sqlite("snapchat.db")` from "snapchat-destination/sqlite", or your own.',
    );
  }
  const apps = options.apps ?? (options.app ? { default: options.app } : undefined);
  if (!apps || Object.keys(apps).length === 0) {
    throw wrong(
      "app_missing",
      "createSnapchat needs the OAuth app.",
      "Create one in Business Manager (Business Details, OAuth Apps) and pass `app: { clientId, clientSecret, redirectUri }`.",
    );
  }
  for (const app of Object.values(apps)) checkRedirectUri(app.redirectUri);
  const endpoints = checkEndpoints(options);
  checkDurability(options);
  return { apps, endpoints };
}

/** @throws {SnapchatError} `loss_not_accepted`: the storage keeps nothing when the process ends. */
function checkDurability(options: SnapchatOptions): void {
  if (options.storage.capabilities.durability !== "none" || options.acceptLoss) return;
  throw wrong(
    "loss_not_accepted",
    `The storage "${options.storage.name}" keeps nothing when the process ends: events that wait and logins would be lost.`,
    "Use a durable storage, or pass `acceptLoss: true` where losing events is fine.",
  );
}

function checkEndpoints(options: SnapchatOptions): Endpoints {
  const endpoints: Endpoints = { ...SNAPCHAT_ENDPOINTS, ...options.endpoints };
  const allowed = new Set([...Object.values(SNAPCHAT_ENDPOINTS), ...(options.allowEndpoints ?? [])].map(originOf));
  for (const [name, address] of Object.entries(endpoints)) {
    if (allowed.has(originOf(address))) continue;
    throw wrong(
      "endpoint_not_allowed",
      `The endpoint ${name} is not Snapchat's (${originOf(address)}).`,
      "Tokens are sent there: if that is meant, name its origin in `allowEndpoints`.",
    );
  }
  return endpoints;
}

function originOf(address: string): string {
  if (URL.canParse(address)) return new URL(address).origin;
  throw wrong(
    "endpoint_invalid",
    "An endpoint is not an address.",
    "Give absolute addresses: `http://127.0.0.1:4010`.",
  );
}

function wrong(code: string, message: string, fix: string): SnapchatError {
  return new SnapchatError({ code, kind: "fix_configuration", message, fix });
}
