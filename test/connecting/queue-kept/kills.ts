/** Points of a refresh at which a process may die. */
export const KILLS = ["before_request", "between_answer_and_write", "after_write"] as const;
export type Kill = (typeof KILLS)[number];
