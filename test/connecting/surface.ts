export type Method = (...given: unknown[]) => unknown;

/** Every function of a handle, by its path: a method that is added tomorrow is among them. */
export function surface(of: object, path = ""): [string, Method][] {
  return Object.entries(of).flatMap(([name, value]): [string, Method][] => {
    if (typeof value === "function") return [[path + name, value as Method]];
    return typeof value === "object" && value !== null ? surface(value as object, `${path}${name}.`) : [];
  });
}
