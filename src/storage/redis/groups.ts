import type { Group, Target } from "../ports.ts";
import { framed } from "./frame.ts";

/** The group's identity as the scripts know it. */
export function groupKey(group: Pick<Group, "destinationId" | "name">): string {
  return framed(group.destinationId) + group.name;
}

/** Destination and name of a {@link groupKey}. */
export function groupIdentity(key: Buffer): Pick<Group, "destinationId" | "name"> {
  const colon = key.indexOf(0x3a);
  const end = colon + 1 + Number(key.toString("latin1", 0, colon));
  return { destinationId: key.toString("utf8", colon + 1, end), name: key.toString("utf8", end) };
}

/** The rest of a group from its row; what is missing belongs to a group that was purged meanwhile. */
export function groupOf(key: Buffer, tenant: unknown, credential: unknown, exclusive: unknown): Group {
  return {
    tenantId: String(tenant ?? ""),
    ...groupIdentity(key),
    exclusive: String(exclusive) === "1",
    credentialId: String(credential ?? ""),
  };
}

/** A target as the scripts' two arguments. */
export function targetArgs(target: Target): [kind: string, id: string] {
  if ("credentialId" in target) return ["credential", target.credentialId];
  if (target.group === undefined) return ["destination", target.destinationId];
  return ["group", groupKey({ destinationId: target.destinationId, name: target.group })];
}
