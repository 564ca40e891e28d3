import { escapeText } from "../escape.ts";
import type { Group, Target } from "../ports.ts";
import { plainList, textList } from "./lists.ts";

export function openValues(groups: readonly Group[]): string[] {
  return [
    textList(groups.map(({ tenantId }) => escapeText(tenantId))),
    textList(groups.map(({ destinationId }) => escapeText(destinationId))),
    textList(groups.map(({ name }) => escapeText(name))),
    plainList(groups.map(({ exclusive }) => exclusive)),
    textList(groups.map(({ credentialId }) => escapeText(credentialId))),
  ];
}

/** Kind, destination or credential, name of the group: as `pauses` keeps them. */
export function targetValues(target: Target): [kind: number, target: string, name: string] {
  if ("credentialId" in target) return [2, escapeText(target.credentialId), ""];
  if (target.group === undefined) return [0, escapeText(target.destinationId), ""];
  return [1, escapeText(target.destinationId), escapeText(target.group)];
}
