import type { Core, Trace } from "../core.ts";
import { type Incoming, isObject, json, type Outgoing, parseJson, text } from "../message.ts";
import { mayUseAsset } from "../roles.ts";
import type { AccessToken } from "../tokens.ts";
import { type Asset, type ConversionsToken, SCOPE_CONVERSIONS } from "../world.ts";
import { judgeEvent } from "./judge.ts";
import type { Problem } from "./problems.ts";
import { createVerdict, type Verdict } from "./verdict.ts";

const ROUTE = /^\/v3\/([^/]+)\/events(\/validate(?:\/(logs|stats))?)?$/;

/** The only error code a source names; what the others are is unpublished. */
const ERROR_CODE = 517;

interface Log {
  at: number;
  entry: Record<string, unknown>;
}

const KEPT_LOGS = 1_000;

/** `tr.snapchat.com/v3`: events, validate, logs and stats. */
export function createConversions(core: Core) {
  const { knobs, store, limiter } = core;
  /** One a position, reused by every batch. */
  const verdicts: Verdict[] = [];
  const logs = new Map<string, Log[]>();

  function handle(incoming: Incoming, trace: Trace): Outgoing {
    const route = ROUTE.exec(incoming.path);
    if (!route) return text(404, "Not Found");
    const [, assetId = "", validate, report] = route;
    const wanted = report === undefined ? "POST" : "GET";
    if (incoming.method !== wanted) return text(405, "Method Not Allowed", { allow: wanted });
    const refusal = authenticate(incoming, trace);
    if (refusal) return refusal;
    if (validate === undefined || knobs.validateCounts) {
      const limited = takeSlot(trace);
      if (limited) return limited;
    }
    const asset = core.index.assets.get(assetId.trim().toLowerCase());
    if (!asset || !owns(trace.credential, asset)) return unauthorizedResources();
    if (report === "logs") return answerLogs(asset);
    if (report === "stats") {
      return json(200, { status: "SUCCESS", reason: "", stats: store.activity(asset.id).stats(core.now()) });
    }
    return takeBatch(incoming, trace, asset, validate !== undefined);
  }

  function authenticate(incoming: Incoming, trace: Trace): Outgoing | undefined {
    const { credential } = trace;
    const now = core.now();
    const living =
      credential !== undefined &&
      !credential.revoked &&
      (isOAuth(credential)
        ? credential.expiresAt > now && credential.scopes.includes(SCOPE_CONVERSIONS)
        : credential.createdAt + knobs.conversionsTokenRefusedMs <= now);
    const inQuery = incoming.query.has("access_token");
    if (living && (inQuery || knobs.conversionsAuth === "query_or_bearer")) return undefined;
    return json(knobs.invalidTokenStatus, { status: "INVALID", reason: "Invalid access token" });
  }

  function takeSlot(trace: Trace): Outgoing | undefined {
    const limits = core.limitsOf(trace, "conversions");
    const { allowed, refusedBy } = limiter.take(limits, core.now());
    if (allowed) return undefined;
    if (refusedBy !== undefined) trace.limitedBy = refusedBy;
    return text(429, "Too Many Requests");
  }

  function owns(credential: Trace["credential"], asset: Asset): boolean {
    if (!credential) return false;
    return isOAuth(credential)
      ? mayUseAsset(credential.person, asset)
      : credential.organizationId === asset.organizationId;
  }

  function unauthorizedResources(): Outgoing {
    return json(knobs.foreignAssetStatus, { status: "INVALID", reason: "Unauthorized resources" });
  }

  function takeBatch(incoming: Incoming, trace: Trace, asset: Asset, validating: boolean): Outgoing {
    const type = incoming.headers["content-type"] ?? "";
    if (!type.includes("application/json")) return refuseRequest(["Content-Type must be application/json."]);
    const body = parseJson(incoming.body);
    if (!isObject(body)) return refuseRequest(["The body must be a JSON object with data."]);
    const { data } = body;
    if (!Array.isArray(data) || data.length === 0) return refuseRequest(["Param data must be a list of events."]);
    trace.items = data.length;
    if (data.length > knobs.eventsPerRequest) {
      return refuseRequest([`Param data holds more than ${knobs.eventsPerRequest} events.`]);
    }
    const testing = validating || (typeof body.test_event_code === "string" && body.test_event_code !== "");
    return validating ? validateBatch(data, trace, asset) : countBatch(data, trace, asset, testing);
  }

  function countBatch(data: unknown[], trace: Trace, asset: Asset, testing: boolean): Outgoing {
    const now = core.now();
    let firstBad = -1;
    // Whether the good events are taken is known only when all are judged.
    while (verdicts.length < data.length) verdicts.push(createVerdict());
    for (let i = 0; i < data.length; i++) {
      const verdict = verdicts[i] as Verdict;
      judgeEvent(data[i], asset, now, knobs, verdict);
      if (firstBad < 0 && verdict.errors.length > 0) firstBad = i;
    }
    const keepGood = firstBad < 0 || knobs.partialFailure !== "reject_all";
    for (let i = 0; i < data.length; i++) {
      const verdict = verdicts[i] as Verdict;
      const bad = verdict.errors.length > 0;
      const test = testing || verdict.test;
      const outcome = test ? "test" : bad ? "rejected" : keepGood ? undefined : "refused_with_batch";
      take(data[i], verdict, asset, trace, outcome);
      if (test) log(asset, data[i], verdict, now);
    }
    if (firstBad < 0 || knobs.partialFailure === "accept_good_silently") {
      return json(200, { status: "VALID", reason: "Events have been processed successfully." });
    }
    return refuseEvent(firstBad, (verdicts[firstBad] as Verdict).errors);
  }

  function take(
    event: unknown,
    judged: Verdict,
    asset: Asset,
    trace: Trace,
    outcome: "rejected" | "test" | "refused_with_batch" | undefined,
  ): void {
    const from = { channel: "server" as const, assetId: asset.id, at: core.now(), request: trace.number };
    store.take(judged, { ...from, event: isObject(event) ? event : { value: event } }, outcome);
  }

  function validateBatch(data: unknown[], trace: Trace, asset: Asset): Outgoing {
    const now = core.now();
    let allGood = true;
    const eventLogs = data.map((event, index) => {
      const verdict = createVerdict();
      judgeEvent(event, asset, now, knobs, verdict);
      const good = verdict.errors.length === 0;
      if (!good) allGood = false;
      take(event, verdict, asset, trace, "test");
      log(asset, event, verdict, now);
      return {
        event: index + knobs.firstEventIndex,
        status: good ? "VALID" : "INVALID",
        ...(good ? {} : { errors: errorsOf(verdict.errors) }),
        warnings: verdict.warnings.map(({ message }) => message),
      };
    });
    const reason = allGood ? "All of the events are valid." : "At least one of the events is invalid.";
    return json(allGood ? 200 : knobs.invalidStatus, {
      status: allGood ? "VALID" : "INVALID",
      test_event: true,
      reason,
      event_logs: eventLogs,
    });
  }

  function errorsOf(errors: readonly Problem[]) {
    const code = knobs.errorCodes === "number" ? ERROR_CODE : String(ERROR_CODE);
    return { codes: errors.map(() => code), error_msgs: errors.map(({ message }) => message) };
  }

  function refuseEvent(index: number, errors: readonly Problem[]): Outgoing {
    if (knobs.errorEnvelope === "flat") {
      return json(knobs.invalidStatus, { status: "INVALID", error_msgs: errors.map(({ message }) => message) });
    }
    return json(knobs.invalidStatus, {
      status: "INVALID",
      ...(knobs.namesBadEvent ? { event: index + knobs.firstEventIndex } : {}),
      reason: "At least one of the events is invalid.",
      errors: errorsOf(errors),
    });
  }

  /** Something is wrong with the request as a whole: no event is to blame. */
  function refuseRequest(messages: string[]): Outgoing {
    if (knobs.errorEnvelope === "flat") return json(knobs.invalidStatus, { status: "INVALID", error_msgs: messages });
    const code = knobs.errorCodes === "number" ? ERROR_CODE : String(ERROR_CODE);
    return json(knobs.invalidStatus, {
      status: "INVALID",
      reason: messages[0],
      errors: { codes: [code], error_msgs: messages },
    });
  }

  function log(asset: Asset, event: unknown, judged: Verdict, at: number): void {
    let list = logs.get(asset.id);
    if (!list) {
      list = [];
      logs.set(asset.id, list);
    }
    if (list.length >= KEPT_LOGS) list.shift();
    const fields = isObject(event) ? event : {};
    list.push({ at, entry: logEntry(asset, fields, judged) });
  }

  function answerLogs(asset: Asset): Outgoing {
    const notBefore = core.now() - knobs.logsRetentionMs;
    const recent = (logs.get(asset.id) ?? []).filter(({ at }) => at >= notBefore);
    logs.set(asset.id, recent);
    return json(200, { status: "SUCCESS", reason: "", logs: recent.map(({ entry }) => entry) });
  }

  return {
    handle,
    /** What `validate/logs` would answer. */
    logs: (assetId: string) => (logs.get(assetId) ?? []).map(({ entry }) => entry),
    clear: () => logs.clear(),
  };
}

function isOAuth(credential: AccessToken | ConversionsToken): credential is AccessToken {
  return "kind" in credential;
}

function logEntry(asset: Asset, event: Record<string, unknown>, judged: Verdict): Record<string, unknown> {
  const appId = isObject(event.app_data) ? (event.app_data.app_id ?? null) : null;
  const records = (problems: readonly Problem[]) => problems.map(({ message }) => ({ reason: message }));
  return {
    event_name: judged.name,
    raw_event_name: event.event_name ?? null,
    event_time: String(event.event_time ?? ""),
    action_source: event.action_source ?? null,
    status: judged.errors.length === 0 ? "VALID" : "INVALID",
    integration: event.integration ?? null,
    asset_id: asset.id,
    error_records: records(judged.errors),
    warning_records: records(judged.warnings),
    event_metadata: {
      pixel_id: asset.kind === "web" ? asset.id : null,
      snap_app_id: asset.kind === "app" ? asset.id : null,
      app_id: appId,
      conversion_info: { event_name: judged.name },
    },
  };
}
