import { digestKind } from "../conversions/digest.ts";
import type { Core, Trace } from "../core.ts";
import { type Incoming, isObject, type Outgoing, parseJson } from "../message.ts";
import type { AdAccount } from "../world.ts";
import type { Answers } from "./answers.ts";
import { type Item, subError } from "./envelope.ts";
import { LIFETIME_DAYS, MEMBER_KINDS, type MemberKind, type Segment, type Segments } from "./segments.ts";

const LONGEST_NAME = 375;
/** Longest retention by kind of segment, where the documentation gives one. */
const LONGEST_RETENTION: Readonly<Record<string, number>> = {
  FIRST_PARTY: LIFETIME_DAYS,
  LOOKALIKE: 180,
  PROFILE_ENGAGEMENT: 180,
  PIXEL: 395,
  MOBILE: 395,
  ENGAGEMENT: 395,
  FOOT_TRAFFIC_INSIGHTS: 395,
};
const LOOKALIKE_TYPES: ReadonlySet<unknown> = new Set([undefined, "BALANCE", "SIMILARITY", "REACH"]);
const SPEC_FIELDS = [
  "creation_spec",
  "prefill",
  "pixel_id",
  "pixel_spec_object",
  "mobile_metadata",
  "source_subtype",
  "engagement_specs",
];
/** Fields that never change after creation. */
const IMMUTABLE = ["source_type", "ad_account_id", "organization_id"] as const;

const invalid = (message: string, context?: string): Item =>
  subError("E2002", `Property value is not allowed: ${message}`, context);

/** Creating, changing and filling segments. The caller's right to do so is checked before. */
export function createAudiences(core: Core, segments: Segments, answers: Answers) {
  const { knobs } = core;

  return {
    create(incoming: Incoming, trace: Trace, account: AdAccount): Outgoing {
      const inputs = segmentInputs(incoming, trace);
      if ("status" in inputs) return inputs;
      return segmentList(
        trace,
        inputs.map((input) => createOne(input, account)),
      );
    },
    update(incoming: Incoming, trace: Trace, account: AdAccount): Outgoing {
      const inputs = segmentInputs(incoming, trace);
      if ("status" in inputs) return inputs;
      return segmentList(
        trace,
        inputs.map((input) => updateOne(input, account)),
      );
    },
    members(incoming: Incoming, trace: Trace, segment: Segment): Outgoing {
      return changeMembers(incoming, trace, segment);
    },
  };

  function segmentList(trace: Trace, items: readonly Item[]): Outgoing {
    return answers.list(trace, "segments", "segment", items);
  }

  function refuse(trace: Trace, message: string): Outgoing {
    return answers.error(trace, 400, "E2002", message);
  }

  function segmentInputs(incoming: Incoming, trace: Trace): Record<string, unknown>[] | Outgoing {
    const body = parseJson(incoming.body);
    const inputs = isObject(body) ? body.segments : undefined;
    if (!Array.isArray(inputs) || inputs.length === 0 || !inputs.every(isObject)) {
      return refuse(trace, "The body must hold a list of segments");
    }
    trace.items = inputs.length;
    if (inputs.length > knobs.segmentsPerRequest) {
      return refuse(trace, `At most ${knobs.segmentsPerRequest} segments in one request`);
    }
    return inputs;
  }

  function createOne(input: Record<string, unknown>, account: AdAccount): Item {
    const { name, description, source_type: sourceType, retention_in_days: retention = LIFETIME_DAYS } = input;
    const problem = nameProblem(name) ?? descriptionProblem(description);
    if (problem !== undefined) return invalid(problem);
    if (input.ad_account_id !== account.id) return invalid("ad_account_id must be the account of the path");
    if (typeof sourceType !== "string" || LONGEST_RETENTION[sourceType] === undefined) {
      return invalid("source_type", String(sourceType));
    }
    const retentionProblem = checkRetention(retention, sourceType);
    if (retentionProblem !== undefined) return invalid(retentionProblem);
    const specProblem = sourceType === "LOOKALIKE" ? checkLookalike(input.creation_spec, account) : undefined;
    if (specProblem !== undefined) return invalid(specProblem);
    if (segments.countOf(account.id) >= knobs.segmentsPerAdAccount) {
      return invalid(`An ad account holds at most ${knobs.segmentsPerAdAccount} segments`);
    }
    if (knobs.duplicateSegmentNames === "reject" && nameTaken(account, name as string)) {
      return invalid("name is taken", name as string);
    }
    const spec: Record<string, unknown> = {};
    for (const field of SPEC_FIELDS) if (input[field] !== undefined) spec[field] = input[field];
    const segment = segments.create(account, {
      name: name as string,
      description: description as string | undefined,
      sourceType,
      retentionInDays: retention as number,
      spec,
    });
    return { entity: segments.entity(segment) };
  }

  function updateOne(input: Record<string, unknown>, account: AdAccount): Item {
    const segment = typeof input.id === "string" ? segments.get(input.id) : undefined;
    if (!segment || segment.account !== account) {
      return subError("E3004", "Entity does not exist or you do not have permission to access it");
    }
    for (const field of IMMUTABLE) {
      const current = {
        source_type: segment.sourceType,
        ad_account_id: account.id,
        organization_id: account.organizationId,
      };
      if (input[field] !== undefined && input[field] !== current[field]) {
        return subError("E2023", `Field ${field} is immutable once set`);
      }
    }
    const problem = nameProblem(input.name ?? segment.name) ?? descriptionProblem(input.description);
    if (problem !== undefined) return invalid(problem);
    const retention = input.retention_in_days ?? segment.retentionInDays;
    const retentionProblem = checkRetention(retention, segment.sourceType);
    if (retentionProblem !== undefined) return invalid(retentionProblem);
    if (retention !== segment.retentionInDays && !knobs.retentionMutable) {
      return subError("E2023", "Field retention_in_days is immutable once set");
    }
    const name = (input.name as string | undefined) ?? segment.name;
    if (knobs.duplicateSegmentNames === "reject" && name !== segment.name && nameTaken(account, name)) {
      return invalid("name is taken", name);
    }
    segment.name = name;
    if (input.description !== undefined) segment.description = input.description as string;
    if (typeof input.status === "string") segment.status = input.status;
    segment.retentionInDays = retention as number;
    segment.updatedAt = core.now();
    return { entity: segments.entity(segment) };
  }

  function nameTaken(account: AdAccount, name: string): boolean {
    return segments.ofAccount(account.id).some((other) => other.name === name);
  }

  function checkLookalike(spec: unknown, account: AdAccount): string | undefined {
    if (!isObject(spec)) return "creation_spec is required";
    const seed = typeof spec.seed_segment_id === "string" ? segments.get(spec.seed_segment_id) : undefined;
    if (!seed || seed.account !== account) return "creation_spec.seed_segment_id";
    const { countries } = spec;
    if (!Array.isArray(countries) || countries.length === 0) return "creation_spec.countries is required";
    return LOOKALIKE_TYPES.has(spec.type) ? undefined : "creation_spec.type";
  }

  function changeMembers(incoming: Incoming, trace: Trace, segment: Segment): Outgoing {
    const body = parseJson(incoming.body);
    const blocks = isObject(body) ? body.users : undefined;
    if (!Array.isArray(blocks) || blocks.length === 0) return refuse(trace, "The body must hold a list of users");
    if (blocks.length > 1 && knobs.userBlocks === "one") return refuse(trace, "One block of users in one request");
    const read: { kind: MemberKind; hashes: string[] }[] = [];
    let rows = 0;
    for (const block of blocks) {
      const parsed = readBlock(block, segment);
      if (typeof parsed === "string") return refuse(trace, parsed);
      rows += parsed.hashes.length;
      read.push(parsed);
    }
    trace.items = rows;
    if (rows > knobs.identifiersPerRequest) {
      return refuse(trace, `At most ${knobs.identifiersPerRequest} identifiers in one request`);
    }
    if (segment.sourceType !== "FIRST_PARTY") return refuse(trace, "Only FIRST_PARTY segments take users");
    const items = read.map(({ kind, hashes }): Item => {
      segments.change(segment, kind, incoming.method === "POST", hashes);
      return { entity: { number_uploaded_users: Math.floor(hashes.length * knobs.uploadedShare) } };
    });
    return answers.list(trace, "users", "user", items);
  }
}

function nameProblem(name: unknown): string | undefined {
  if (typeof name !== "string" || name === "") return "name is required";
  return [...name].length > LONGEST_NAME ? `name is longer than ${LONGEST_NAME} characters` : undefined;
}

function descriptionProblem(description: unknown): string | undefined {
  return description === undefined || typeof description === "string" ? undefined : "description must be text";
}

function checkRetention(retention: unknown, sourceType: string): string | undefined {
  const longest = LONGEST_RETENTION[sourceType] ?? LIFETIME_DAYS;
  const valid = typeof retention === "number" && Number.isInteger(retention) && retention >= 1 && retention <= longest;
  return valid ? undefined : `retention_in_days must be between 1 and ${longest}`;
}

/** The kind and the hashes of one block, or what is wrong with it. One bad row refuses the request, as peers report. */
function readBlock(block: unknown, segment: Segment): { kind: MemberKind; hashes: string[] } | string {
  if (!isObject(block)) return "users must hold objects";
  const { schema, data, id } = block;
  if (id !== undefined && id !== segment.id) return "id is not the segment of the path";
  if (!Array.isArray(schema) || schema.length !== 1) return "schema must hold one type";
  const kind = MEMBER_KINDS.find((candidate) => candidate === schema[0]);
  if (kind === undefined) return "schema must be EMAIL_SHA256, PHONE_SHA256 or MOBILE_AD_ID_SHA256";
  if (!Array.isArray(data) || data.length === 0) return "data must hold rows";
  const hashes: string[] = new Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const row: unknown = data[i];
    if (!Array.isArray(row) || row.length !== 1) return "Each row of data must hold one value";
    const value: unknown = row[0];
    if (typeof value !== "string" || digestKind(value) !== "lower")
      return "Each value must be a SHA-256 digest in lower-case hexadecimal";
    hashes[i] = value;
  }
  return { kind, hashes };
}
