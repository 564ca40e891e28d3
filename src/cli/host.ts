import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { SnapchatError } from "../errors.ts";
import type { Tenant } from "../snapchat/tenant.ts";
import type { Snapchat } from "../snapchat.ts";
import { UsageError } from "./command.ts";

const NAMES = ["snapchat.config.ts", "snapchat.config.mjs", "snapchat.config.js"];

/** The host's own `createSnapchat(…)`, from its configuration module. */
async function loadHost(config: string | undefined): Promise<Snapchat> {
  const path = config ?? NAMES.find((name) => existsSync(name));
  if (path === undefined) {
    throw new UsageError(`There is no ${NAMES.join(", ")} here; name your configuration with --config.`);
  }
  const url = pathToFileURL(resolve(path)).href;
  if (!existsSync(resolve(path))) throw new UsageError(`There is no file ${path}.`);
  const { default: exported } = (await import(url)) as { default?: unknown };
  const made: unknown = typeof exported === "function" ? await exported() : exported;
  if (!isSnapchat(made)) throw noHost(path);
  return made;
}

/** Runs `task` with the host's Snapchat and closes it afterwards. */
export async function withHost<T>(
  { config }: { config?: string | undefined },
  task: (snapchat: Snapchat) => Promise<T>,
): Promise<T> {
  const snapchat = await loadHost(config);
  try {
    return await task(snapchat);
  } finally {
    await snapchat.close();
  }
}

/** Runs `task` with one tenant's handle. */
export function withTenant<T>(
  options: { config?: string | undefined; tenant?: string | undefined },
  task: (tenant: Tenant, snapchat: Snapchat) => Promise<T>,
): Promise<T> {
  const { tenant } = options;
  if (tenant === undefined) throw new UsageError("--tenant is missing.");
  return withHost(options, (snapchat) => task(snapchat.tenant(tenant), snapchat));
}

function isSnapchat(value: unknown): value is Snapchat {
  const made = value as Partial<Snapchat> | undefined | null;
  return typeof made?.tenant === "function" && typeof made.close === "function";
}

function noHost(path: string): SnapchatError {
  return new SnapchatError({
    code: "config_invalid",
    kind: "fix_configuration",
    message: `${path} has no default export that is made by createSnapchat().`,
    fix: "Write `export default createSnapchat({ … })`, or export a function that returns it.",
  });
}
