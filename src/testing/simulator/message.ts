/** One request as every area sees it, whether it came over a socket or through `simulator.fetch`. */
export interface Incoming {
  method: string;
  /** The path without the query. */
  path: string;
  query: URLSearchParams;
  /** Lower-case names. */
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
}

/** One answer. */
export interface Outgoing {
  status: number;
  body: string;
  /** Default `application/json`. */
  contentType?: string;
  headers?: Record<string, string>;
}

export function json(status: number, value: unknown, headers?: Record<string, string>): Outgoing {
  return { status, body: JSON.stringify(value), ...(headers ? { headers } : {}) };
}

export function text(status: number, body: string, headers?: Record<string, string>): Outgoing {
  return { status, body, contentType: "text/plain; charset=utf-8", ...(headers ? { headers } : {}) };
}

export function html(status: number, body: string): Outgoing {
  return { status, body, contentType: "text/html; charset=utf-8" };
}

/** The parsed body, or `undefined` where it is not JSON. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
