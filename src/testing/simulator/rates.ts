/** Times of the last requests of one scope, oldest first, in a ring that grows when it must. */
class Times {
  #ring = new Float64Array(64);
  #head = 0;
  length = 0;

  push(at: number): void {
    if (this.length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.length) % this.#ring.length] = at;
    this.length += 1;
  }

  /** Forgets everything at or before `at`. */
  dropUntil(at: number): void {
    while (this.length > 0 && (this.#ring[this.#head] as number) <= at) {
      this.#head = (this.#head + 1) % this.#ring.length;
      this.length -= 1;
    }
  }

  #grow(): void {
    const bigger = new Float64Array(this.#ring.length * 2);
    for (let i = 0; i < this.length; i++) bigger[i] = this.#ring[(this.#head + i) % this.#ring.length] as number;
    this.#ring = bigger;
    this.#head = 0;
  }
}

/** The most requests of one scope in any interval of that length, answered or refused. */
export interface Peak {
  requests: number;
  in1s: number;
  in5s: number;
}

/** Measures how densely requests came, whatever the limits say. */
export function createPeaks(): {
  arrived(scope: string, at: number): void;
  all(): Record<string, Peak>;
  clear(): void;
} {
  const scopes = new Map<string, { peak: Peak; second: Times; five: Times }>();
  return {
    arrived(scope, at) {
      let entry = scopes.get(scope);
      if (!entry) {
        entry = { peak: { requests: 0, in1s: 0, in5s: 0 }, second: new Times(), five: new Times() };
        scopes.set(scope, entry);
      }
      const { peak, second, five } = entry;
      peak.requests += 1;
      second.dropUntil(at - 1_000);
      second.push(at);
      if (second.length > peak.in1s) peak.in1s = second.length;
      five.dropUntil(at - 5_000);
      five.push(at);
      if (five.length > peak.in5s) peak.in5s = five.length;
    },
    all: () => Object.fromEntries([...scopes].map(([scope, { peak }]) => [scope, { ...peak }])),
    clear: () => scopes.clear(),
  };
}

/** One limit a request falls under. */
export interface Limit {
  scope: string;
  perWindow: number;
  windowMs: number;
  window: "sliding" | "aligned" | "both";
}

export interface Standing {
  limit: number;
  remaining: number;
  /** Epoch milliseconds at which the aligned window ends. */
  resetAt: number;
}

/** Judges limits. A refused request takes no place in any of them. */
export interface RateLimiter {
  /** Takes a place in every limit, or in none. The standing is that of the last limit named. */
  take(limits: readonly Limit[], at: number): { allowed: boolean; refusedBy?: string; standing: Standing | undefined };
  clear(): void;
}

export function createRateLimiter(): RateLimiter {
  const scopes = new Map<string, { times: Times; aligned: number; used: number }>();

  return {
    take(limits, at) {
      let refusedBy: string | undefined;
      for (const limit of limits) {
        const state = stateOf(limit);
        const window = Math.floor(at / limit.windowMs);
        if (state.aligned !== window) {
          state.aligned = window;
          state.used = 0;
        }
        state.times.dropUntil(at - limit.windowMs);
        const sliding = limit.window !== "aligned" && state.times.length >= limit.perWindow;
        const aligned = limit.window !== "sliding" && state.used >= limit.perWindow;
        if (sliding || aligned) refusedBy ??= limit.scope;
      }
      if (refusedBy === undefined) {
        for (const limit of limits) {
          const state = stateOf(limit);
          state.used += 1;
          state.times.push(at);
        }
      }
      const last = limits.at(-1);
      return {
        allowed: refusedBy === undefined,
        ...(refusedBy === undefined ? {} : { refusedBy }),
        standing: last && standingOf(last, at),
      };
    },
    clear: () => scopes.clear(),
  };

  function stateOf(limit: Limit) {
    const key = `${limit.scope} ${limit.windowMs}`;
    let state = scopes.get(key);
    if (!state) {
      state = { times: new Times(), aligned: -1, used: 0 };
      scopes.set(key, state);
    }
    return state;
  }

  function standingOf(limit: Limit, at: number): Standing {
    const state = stateOf(limit);
    return {
      limit: limit.perWindow,
      remaining: Math.max(0, limit.perWindow - state.used),
      resetAt: (Math.floor(at / limit.windowMs) + 1) * limit.windowMs,
    };
  }
}
