import { isSnapchatError } from "../../errors.ts";

/** One answer of a check, in a marketer's words. */
export interface CheckLine {
  /** Stable, `snake_case`. */
  code: string;
  /** `problem`: data does not arrive as wanted; `warning`: it does, with a catch; `ok`: looked at and fine. */
  status: "ok" | "warning" | "problem";
  message: string;
  /** What to do. Empty for `ok`. */
  fix: string;
}

/**
 * One thing that is looked at. Facts are collected before; a check reads them and answers with no line where it has
 * nothing to say, because what it needs is missing and another check says that.
 */
export interface Check<Facts> {
  /** Unique; the code of its `ok` line. */
  name: string;
  look(facts: Facts): readonly CheckLine[] | Promise<readonly CheckLine[]>;
}

/** What is set up wrong or missing, line by line. */
export interface PreflightReport {
  destinationId: string;
  /** No line is a problem. */
  ok: boolean;
  lines: CheckLine[];
}

/**
 * Runs checks side by side and keeps their order. A check that fails becomes a warning: the others are still answered.
 */
export async function runChecks<Facts>(checks: readonly Check<Facts>[], facts: Facts): Promise<CheckLine[]> {
  const answers = checks.map(async (check) => {
    try {
      return await check.look(facts);
    } catch (error) {
      return [unanswered(check.name, error)];
    }
  });
  return (await Promise.all(answers)).flat();
}

function unanswered(name: string, error: unknown): CheckLine {
  const known = isSnapchatError(error) ? error : undefined;
  return {
    code: `${name}_unanswered`,
    status: "warning",
    message: `This could not be checked (${name}): ${known?.message ?? "an unexpected failure"}`,
    fix: known?.fix ?? "Try again; if it stays, report it.",
  };
}

export const ok = (code: string, message: string): CheckLine => ({ code, status: "ok", message, fix: "" });
export const warning = (code: string, message: string, fix: string): CheckLine => ({
  code,
  status: "warning",
  message,
  fix,
});
export const problem = (code: string, message: string, fix: string): CheckLine => ({
  code,
  status: "problem",
  message,
  fix,
});
