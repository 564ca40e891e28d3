import { SnapchatError } from "../errors.ts";

type Require = (id: string) => unknown;

/** Data of another package that is loaded when the first identifier needs it. */
export interface Lazy<T> {
  /** @throws {SnapchatError} `identity_data_missing` where it is not loaded and cannot be loaded synchronously. */
  get(): T;
  /** Whether {@link get} works now without {@link preload}. */
  ready(): boolean;
  /** Loads it by `import()`, which bundlers follow. */
  preload(): Promise<void>;
}

let own: { require: NodeJS.Require | undefined } | undefined;

/** `require` of this file, where the runtime has one. Bundles and edges have none, or one that finds no packages. */
function ownRequire(): NodeJS.Require | undefined {
  if (own) return own.require;
  try {
    own = { require: globalThis.process?.getBuiltinModule?.("node:module")?.createRequire(import.meta.url) };
  } catch {
    own = { require: undefined };
  }
  return own.require;
}

/**
 * Synchronous first, because normalising is synchronous; `import()` for the rest.
 *
 * @param id A module that `load` requires; it tells whether the package can be found.
 */
export function lazy<T>(
  id: string,
  load: (require: Require) => T,
  preload: () => Promise<T>,
  findRequire: () => NodeJS.Require | undefined = ownRequire,
): Lazy<T> {
  let value: T | undefined;
  let found: boolean | undefined;

  function canRequire(): boolean {
    if (found === undefined) {
      try {
        found = findRequire()?.resolve(id) !== undefined;
      } catch {
        found = false;
      }
    }
    return found;
  }

  return {
    get() {
      if (value !== undefined) return value;
      const require = canRequire() ? findRequire() : undefined;
      if (!require) throw missing(id);
      value = load(require);
      return value;
    },
    ready: () => value !== undefined || canRequire(),
    async preload() {
      value ??= await preload();
    },
  };
}

function missing(id: string): SnapchatError {
  return new SnapchatError({
    code: "identity_data_missing",
    kind: "fix_configuration",
    message: `${id} is not loaded, and this runtime cannot load it on demand.`,
    fix: "Await preloadIdentity() once before the first identifier; bundles and edge runtimes need it.",
    details: { module: id },
  });
}
