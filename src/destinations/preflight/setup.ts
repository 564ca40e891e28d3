import { isSnapchatError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { adAccount, pixel, sharedPixel } from "./accounts.ts";
import { type Check, type CheckLine, type PreflightReport, problem, runChecks } from "./engine.ts";
import { collectSetupFacts, type SetupFacts } from "./facts.ts";
import { login, roles, scopes } from "./login.ts";
import { conversionsToken, eventNames, integration, modes, switches } from "./sending.ts";

/** The set-up half of the checks, in the order a marketer works through them. `verify` adds the live half. */
export const setupChecks: readonly Check<SetupFacts>[] = [
  login,
  scopes,
  adAccount,
  roles,
  pixel,
  conversionsToken,
  switches,
  eventNames,
  modes,
  integration,
  sharedPixel,
];

/** Looks at a destination's set-up and says what is missing and what to do. @throws {SnapchatError} `not_found` */
export async function preflight(context: Context, tenantId: string, id: string): Promise<PreflightReport> {
  let lines: CheckLine[];
  try {
    lines = await runChecks(setupChecks, await collectSetupFacts(context, tenantId, id));
  } catch (error) {
    if (!isSnapchatError(error) || error.code !== "encryption_key_gone") throw error;
    lines = [problem(error.code, error.message, error.fix)];
  }
  return { destinationId: id, ok: lines.every(({ status }) => status !== "problem"), lines };
}
