import type { Delivery, RawRequest } from "./exchange.ts";
import { headersOf } from "./server.ts";

/** The shape of `fetch`. */
export type SimulatorFetch = (input: Request | string | URL, init?: RequestInit) => Promise<Response>;

/**
 * A `fetch` that reaches the simulator without a socket: the same judgement, the same faults, no timing of a network.
 * For histories on a virtual clock.
 */
export function createFetch(
  receive: (raw: RawRequest) => Promise<Delivery>,
  knows: (origin: string) => boolean,
  maxBodyBytes: () => number,
): SimulatorFetch {
  return async (input, init) => {
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    const url = new URL(request.url);
    if (!knows(url.origin)) throw networkFailure("ENOTFOUND");
    const body = Buffer.from(await request.arrayBuffer());
    const delivery = receive({
      method: request.method,
      path: url.pathname,
      query: url.searchParams,
      headers: Object.fromEntries(request.headers),
      body,
      tooLarge: body.length > maxBodyBytes(),
      host: undefined,
    });
    return toResponse(await orAborted(delivery, request.signal), request.signal);
  };
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

async function toResponse(delivery: Delivery, signal: AbortSignal): Promise<Response> {
  if (delivery.kind === "cut") throw networkFailure("ECONNRESET");
  if (delivery.kind === "silence") return orAborted(new Promise<never>(() => {}), signal);
  const { outgoing, truncate } = delivery;
  if (truncate !== undefined) {
    const part = Buffer.from(outgoing.body, "utf8").subarray(0, truncate);
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(part));
        controller.error(networkFailure("UND_ERR_SOCKET"));
      },
    });
    return new Response(stream, { status: outgoing.status, headers: headersOf(outgoing) });
  }
  const empty = outgoing.body === "" || outgoing.status === 204 || outgoing.status === 304;
  return new Response(empty ? null : outgoing.body, { status: outgoing.status, headers: headersOf(outgoing) });
}

/** What undici throws: a TypeError with the reason as its cause. */
function networkFailure(code: string): TypeError {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) });
}
