import type { Storage } from "../storage/ports.ts";

type Method = (...args: unknown[]) => unknown;

/**
 * The same storage, whose first call creates or migrates the tables and whose other calls wait for that. A migration
 * that failed is tried again by the next call.
 */
export function migrated(storage: Storage): Storage {
  let done = false;
  let running: Promise<void> | undefined;
  const ready = async (): Promise<void> => {
    running ??= storage.migrate().then(
      () => {
        done = true;
      },
      (error: unknown) => {
        running = undefined;
        throw error;
      },
    );
    return running;
  };

  /** A port whose methods wait; objects inside it (`outbox.dead`) are ports too. */
  function waiting<P extends object>(port: P): P {
    const methods = new Map<PropertyKey, unknown>();
    return new Proxy(port, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== "function" && (typeof value !== "object" || value === null)) return value;
        let wrapped = methods.get(name);
        if (wrapped === undefined) {
          wrapped = typeof value === "object" ? waiting(value) : method(target, name, value as Method);
          methods.set(name, wrapped);
        }
        return wrapped;
      },
    });
  }

  /** `watch` answers an iterable, everything else a promise. */
  function method(port: object, name: PropertyKey, call: Method): Method {
    if (name === "watch") return call.bind(port) as Method;
    return (...args) => (done ? call.apply(port, args) : ready().then(() => call.apply(port, args)));
  }

  const { members, journal, slots } = storage;
  return {
    portVersion: storage.portVersion,
    name: storage.name,
    capabilities: storage.capabilities,
    records: waiting(storage.records),
    outbox: waiting(storage.outbox),
    ...(members ? { members: waiting(members) } : {}),
    ...(journal ? { journal: waiting(journal) } : {}),
    ...(slots ? { slots: waiting(slots) } : {}),
    migrate: ready,
    check: () => storage.check(),
    close: () => storage.close(),
  };
}
