/** A key of somebody's object in an error's words: as code where it can be a name of ours misspelt, else not at all. */
export function shownKey(key: string): string {
  return /^[\w.-]{1,40}$/.test(key) ? `\`${key}\`` : "of that name";
}
