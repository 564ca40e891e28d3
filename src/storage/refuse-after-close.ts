/** The same port, whose calls reject with `refusal()` as soon as it answers an error. Objects inside (`outbox.dead`) are covered too. */
export function refuseAfterClose<T extends object>(port: T, refusal: () => Error | undefined): T {
  const guarded: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(port)) {
    if (typeof member === "function") {
      guarded[name] = (...args: unknown[]) => {
        const error = refusal();
        return error ? Promise.reject(error) : member.apply(port, args);
      };
    } else {
      guarded[name] = refuseAfterClose(member as object, refusal);
    }
  }
  return guarded as T;
}
