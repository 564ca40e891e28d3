/**
 * Whether a text may name a person: a mail address or a phone number hides in any property, and in event names too. Sees
 * more than there is, because it decides what is shown and kept.
 *
 * @example
 * ```ts
 * import { hidesPerson } from "snapchat-destination/workflow";
 *
 * hidesPerson("Order Completed"); // false
 * hidesPerson("Signed up jane@example.com"); // true: such an event name is not shown in a list
 * ```
 */
export function hidesPerson(text: string): boolean {
  return text.includes("@") || text.includes("%40") || /(?:\p{Nd}[^\p{L}\p{Nd}]*){7}/u.test(text);
}
