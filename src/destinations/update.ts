import type { Secret } from "../errors.ts";
import { type Chosen, checkChoices } from "./choices.ts";
import type { Context } from "./context.ts";
import { readPastedToken, recheckForAsset, saveToken } from "./conversions-token.ts";
import {
  currentAssets,
  type QueueOnMove,
  type StoredDestination,
  type StoredToken,
  type Versioned,
} from "./destination.ts";
import { assetsAfter } from "./effects.ts";
import { fieldUnknown, invalid } from "./failure.ts";
import { type Change, type MutationOptions, mutate } from "./mutation.ts";
import { mergeSettings, type SettingsPatch } from "./settings.ts";

/** A change: what is absent stays, `null` removes. */
export interface DestinationPatch {
  name?: string | undefined;
  organizationId?: string | null | undefined;
  adAccountId?: string | null | undefined;
  pixelId?: string | null | undefined;
  mobileAppId?: string | null | undefined;
  /** Write-only. Trimmed, sealed, checked against the pixel; reads back as `…3f9a`. */
  conversionsToken?: string | null | undefined;
  serverSide?: boolean | undefined;
  /** Plain JSON, checked as a whole. */
  workflow?: unknown;
  settings?: SettingsPatch;
}

export interface UpdateOptions extends MutationOptions {
  /**
   * Where pixel, app or ad account change: what is queued for the old one is still delivered to it (`old_asset`, the
   * default) or becomes dead letters with the reason `dropped`.
   */
  queue?: QueueOnMove;
}

const CHOICES = ["organizationId", "adAccountId", "pixelId", "mobileAppId"] as const;
const FIELDS = new Set<string>([...CHOICES, "name", "conversionsToken", "serverSide", "workflow", "settings"]);

/**
 * Changes a destination. What is chosen is checked against what the login may choose; a token is asked about at
 * Snapchat. Nothing is saved unless all of it is right.
 */
export async function update(
  context: Context,
  tenantId: string,
  id: string,
  patch: DestinationPatch,
  options: UpdateOptions = {},
): Promise<Versioned> {
  checkPatch(patch, options);
  const pasted = typeof patch.conversionsToken === "string" ? readPastedToken(patch.conversionsToken) : undefined;
  // Kept over the tries of one call: every save takes a new number.
  let saved: StoredToken | undefined;
  return mutate(context, { tenantId, id, action: "destination.updated" }, options, async (before) => {
    const plain = withFields(context, before, patch);
    const chosen = await withChoices(context, plain, patch);
    const token = await tokenAfter(context, before, chosen, {
      pasted,
      removed: patch.conversionsToken === null,
      saved,
    });
    if (pasted) saved = token;
    const { token: _, ...rest } = chosen;
    const queue = options.queue ?? "old_asset";
    const next: StoredDestination = {
      ...rest,
      ...(token ? { token, tokenCount: Math.max(before.tokenCount, token.n) } : {}),
      assets: assetsAfter(before, chosen, queue),
    };
    return describe(before, next, patch, queue);
  });
}

function describe(
  before: StoredDestination,
  next: StoredDestination,
  patch: DestinationPatch,
  queue: QueueOnMove,
): Change {
  const changed = Object.keys(patch).filter((key) => patch[key as keyof DestinationPatch] !== undefined);
  const left = currentAssets(before).some((asset) => !currentAssets(next).includes(asset));
  const moved = before.adAccountId !== undefined && before.adAccountId !== next.adAccountId;
  const tokenTouched = before.token?.n !== next.token?.n || before.token?.status !== next.token?.status;
  const ids = CHOICES.filter((key) => patch[key] !== undefined).map((key) => [key, next[key] ?? "none"]);
  return {
    next,
    detail: {
      changed: changed.join(","),
      ...Object.fromEntries(ids),
      ...(tokenTouched ? { conversionsToken: next.token?.status ?? "removed" } : {}),
      ...(left || moved ? { queue } : {}),
    },
    ...(moved
      ? { move: { from: before.adAccountId ?? "", ...(next.adAccountId ? { to: next.adAccountId } : {}), queue } }
      : {}),
  };
}

function withFields({ workflowCheck }: Context, before: StoredDestination, patch: DestinationPatch): StoredDestination {
  const { workflow: old, ...rest } = before;
  const workflow = patch.workflow === undefined ? old : (patch.workflow ?? undefined);
  return {
    ...rest,
    ...(workflow === undefined ? {} : { workflow: workflow === old ? old : workflowCheck.parse(workflow) }),
    ...(patch.name === undefined ? {} : { name: checkName(patch.name) }),
    ...(patch.serverSide === undefined ? {} : { serverSide: patch.serverSide }),
    ...(patch.settings === undefined ? {} : { settings: mergeSettings(before.settings, patch.settings) }),
  };
}

async function withChoices(
  context: Context,
  before: StoredDestination,
  patch: DestinationPatch,
): Promise<StoredDestination> {
  const next: StoredDestination = { ...before };
  for (const key of CHOICES) {
    const value = patch[key];
    if (value === null) delete next[key];
    else if (value !== undefined) next[key] = value;
  }
  if (!CHOICES.some((key) => next[key] !== undefined && next[key] !== before[key])) return next;
  const { tenantId, connectionId } = next;
  const connection = connectionId ? await context.connections.info(tenantId, connectionId) : undefined;
  // Without a login there is nothing to check against; preflight says so.
  if (!connection || connection.status === "disconnected") return next;
  // An account that goes with a new business is not kept: the marketer chooses again.
  const chosen: Chosen = { ...next };
  if (patch.adAccountId && patch.organizationId === undefined) delete chosen.organizationId;
  return { ...next, ...checkChoices(await context.accounts.tree(tenantId, connection.id), chosen) };
}

async function tokenAfter(
  context: Context,
  before: StoredDestination,
  next: StoredDestination,
  wanted: { pasted: Secret | undefined; removed: boolean; saved: StoredToken | undefined },
): Promise<StoredToken | undefined> {
  if (wanted.removed) return undefined;
  const asset = currentAssets(next)[0];
  if (wanted.pasted) {
    // Saved at an earlier try: still good unless someone saved a later one since, which may have removed this.
    if (wanted.saved && wanted.saved.n > before.tokenCount) return wanted.saved;
    return saveToken(context, before, wanted.pasted, asset);
  }
  const token = before.token;
  if (token && asset !== undefined && asset !== currentAssets(before)[0])
    return recheckForAsset(context, before, token, asset);
  return token;
}

export function checkName(name: unknown): string {
  const text = typeof name === "string" ? name.trim() : "";
  if (text.length >= 1 && text.length <= 200) return text;
  throw invalid(
    "name_invalid",
    "A destination's name is a text of 1 to 200 characters.",
    "Give it a name that its owner will know it by.",
  );
}

function checkPatch(patch: DestinationPatch, options: UpdateOptions): void {
  if (typeof patch !== "object" || patch === null)
    throw invalid("patch_invalid", "A change is an object.", "Pass the fields to change.");
  const unknown = Object.keys(patch).find((key) => !FIELDS.has(key));
  if (unknown !== undefined) {
    throw fieldUnknown(unknown, `Change one of ${[...FIELDS].join(", ")}.`);
  }
  for (const key of CHOICES) {
    const value = patch[key];
    if (value === undefined || value === null || (typeof value === "string" && /^[\w.-]{1,100}$/.test(value))) continue;
    throw invalid("id_invalid", `${key} is not an id of Snapchat.`, "Take the id from accounts.tree().", {
      field: key,
    });
  }
  if (patch.serverSide !== undefined && typeof patch.serverSide !== "boolean") {
    throw invalid("server_side_invalid", "serverSide is true or false.", "Pass a boolean.");
  }
  if (patch.conversionsToken !== undefined && patch.conversionsToken !== null) readPastedToken(patch.conversionsToken);
  checkQueueOnMove(options.queue);
}

function checkQueueOnMove(queue: unknown): void {
  if (queue === undefined || queue === "old_asset" || queue === "drop") return;
  throw invalid(
    "queue_choice_invalid",
    "queue is old_asset or drop.",
    "Say what becomes of what is queued for the old pixel.",
  );
}
