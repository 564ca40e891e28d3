/** Identifiers of a person, or of a line of a list: `EMAIL_SHA256 <hash>` or `PHONE_SHA256 <hash>`. */
export interface Line {
  /** Absent: nobody is named. */
  person: number | undefined;
  identifiers: readonly string[];
}

type Change =
  | { what: "enter"; line: Line }
  | { what: "leave"; line: Line }
  /** Everybody's claim on these identifiers. */
  | { what: "forget"; identifiers: readonly string[] }
  | List;

interface List {
  what: "list";
  mode: "mirror" | "add" | "remove";
  lines: readonly Line[];
}

const UNNAMED = "-";

/**
 * What a segment should hold: every change in its order, as the documentation says it, one after the other. No queue, no
 * process, no request.
 */
export function createSegmentModel() {
  const changes: Change[] = [];

  function members(): Set<string> {
    /** Identifiers, by whoever claims them. */
    const claims = new Map<string, Set<string>>();
    const of = (person: string) => {
      let own = claims.get(person);
      if (!own) {
        own = new Set();
        claims.set(person, own);
      }
      return own;
    };
    const key = (person: number | undefined) => (person === undefined ? UNNAMED : String(person));
    const everybody = (identifier: string) => {
      for (const own of claims.values()) own.delete(identifier);
    };
    for (const change of changes) {
      if (change.what === "enter") {
        for (const identifier of change.line.identifiers) of(key(change.line.person)).add(identifier);
      } else if (change.what === "leave") {
        const { person, identifiers } = change.line;
        if (person === undefined) identifiers.forEach(everybody);
        else {
          const all = [...of(key(person)), ...identifiers];
          for (const identifier of all) of(UNNAMED).delete(identifier);
          of(key(person)).clear();
        }
      } else if (change.what === "forget") change.identifiers.forEach(everybody);
      else if (change.mode === "remove") {
        for (const { person, identifiers } of change.lines) {
          for (const identifier of identifiers) {
            if (person === undefined) everybody(identifier);
            else {
              of(key(person)).delete(identifier);
              of(UNNAMED).delete(identifier);
            }
          }
        }
      } else {
        if (change.mode === "mirror") claims.clear();
        for (const { person, identifiers } of change.lines) {
          for (const identifier of identifiers) of(key(person)).add(identifier);
        }
      }
    }
    return new Set([...claims.values()].flatMap((own) => [...own]));
  }

  return { say: (change: Change) => void changes.push(change), members };
}

export type SegmentModel = ReturnType<typeof createSegmentModel>;
