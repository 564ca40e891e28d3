import { type CheckLine, problem } from "../../destinations/index.ts";
import type { Ask, Patient } from "./ask.ts";

/** What stands before every other line: whether Snapchat answers at all, and whether it takes the credentials now. */
export interface Reach {
  /** Somebody answered. Without that there is nothing to examine. */
  answered: boolean;
  lines: readonly CheckLine[];
}

/** Asks each of Snapchat's hosts that a credential is for one question. Counts and changes nothing. */
export async function reach(ask: Ask, patient: Patient): Promise<Reach> {
  const { pixelId, mobileAppId } = patient;
  const assetId = pixelId ?? mobileAppId;
  const [events, login] = await Promise.all([
    ask.conversions("/validate/stats", assetId === undefined ? {} : { assetId }),
    ask.ads("/me"),
  ]);
  const unreached = [...ask.unreached].map(([origin, reason]) => unreachable(origin, reason));
  const refused = events && events.status >= 400 && events.status < 500 ? [tokenRefused(events.status)] : [];
  return {
    answered: unreached.length === 0 || events !== undefined || login !== undefined,
    lines: [...unreached, ...refused],
  };
}

const unreachable = (origin: string, reason: string): CheckLine =>
  problem(
    "unreachable",
    `Could not reach ${origin} (${reason}).`,
    "Check the address and the way to it from this machine: name server, firewall, proxy.",
  );

/** Snapchat answers 401 for a token that it does not know, and another status for one that is not for this asset. */
const tokenRefused = (status: number): CheckLine =>
  status === 401
    ? problem(
        "token_refused",
        "Snapchat refuses the Conversions API token (HTTP 401).",
        "Copy the token again, whole. One that was made less than an hour ago may still be refused: then ask again later.",
      )
    : problem(
        "token_not_for_asset",
        `The Conversions API token may not use this pixel or app (HTTP ${status}).`,
        "Check the id, and generate the token for the business that owns it. One that was made less than an hour ago may still be refused.",
      );
