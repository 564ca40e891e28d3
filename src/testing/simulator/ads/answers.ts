import type { Core, Trace } from "../core.ts";
import type { Incoming, Outgoing } from "../message.ts";
import { createEnvelopes, type Item, pageOf } from "./envelope.ts";

/** The answers of the Marketing API for one request. */
export function createAnswers(core: Core) {
  const envelopes = createEnvelopes(core.knobs);

  return { list, plain, error, paged, notFound, forbidden, methodNotAllowed };

  function list(
    trace: Trace,
    plural: string,
    singular: string,
    items: readonly Item[],
    extra?: Record<string, unknown>,
  ): Outgoing {
    return envelopes.list(trace.requestId, plural, singular, items, extra);
  }

  function plain(trace: Trace, fields: Record<string, unknown>): Outgoing {
    return envelopes.plain(trace.requestId, fields);
  }

  function error(trace: Trace, status: number, code: string | undefined, debug: string, display?: string): Outgoing {
    return envelopes.error(trace.requestId, status, code, debug, display);
  }

  function notFound(trace: Trace): Outgoing {
    return error(
      trace,
      404,
      "E3003",
      "Resource can not be found",
      "We're sorry, but the requested resource is not available at this time",
    );
  }

  function forbidden(trace: Trace): Outgoing {
    return error(trace, 403, "E3002", "Caller does not have permission");
  }

  function methodNotAllowed(trace: Trace): Outgoing {
    return error(trace, 405, undefined, "Method Not Allowed");
  }

  function paged<T>(
    incoming: Incoming,
    trace: Trace,
    plural: string,
    singular: string,
    entities: readonly T[],
    orderOf: (entity: T, index: number) => number,
    toEntity: (entity: T) => Record<string, unknown>,
  ): Outgoing {
    const page = pageOf(entities, orderOf, incoming, core.endpoints.adsApi, core.knobs);
    if ("refused" in page) return error(trace, 400, "E1001", page.refused);
    const items = page.page.map((entity) => ({ entity: toEntity(entity) }));
    return list(trace, plural, singular, items, { paging: page.paging });
  }
}

export type Answers = ReturnType<typeof createAnswers>;
