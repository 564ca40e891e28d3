/**
 * Answers of the live Conversions API as third parties report them, and the shapes Snap's own SDK declares: the parts
 * that are known, nothing made up around them but the words "free text".
 */
export interface RecordedAnswer {
  name: string;
  /** Who saw it, or which schema says so. */
  source: string;
  path: "events" | "events/validate";
  status: number;
  body: unknown;
  contentType?: string;
}

export const RECORDED: readonly RecordedAnswer[] = [
  {
    name: "accepted",
    source: "seen by several projects, December 2025",
    path: "events",
    status: 200,
    body: { status: "VALID", reason: "Events have been processed successfully." },
  },
  {
    name: "refused, schema of Snap's OpenAPI",
    source: "Snapchat/business-sdk-v3-java, EventResponse",
    path: "events",
    status: 400,
    body: { status: "INVALID", event: 1, reason: "free text", errors: { codes: ["517"], error_msgs: ["free text"] } },
  },
  {
    name: "refused, as captured",
    source: "segmentio/action-destinations, pull request 3959",
    path: "events",
    status: 400,
    body: { status: "INVALID", error_msgs: ["Param data['event_time'] is an invalid Unix timestamp."] },
  },
  {
    name: "asset of another organization",
    source: "docs.treasuredata.com, Snapchat Conversions API export",
    path: "events",
    status: 400,
    body: { status: "INVALID", reason: "Unauthorized resources" },
  },
  {
    name: "token refused",
    source: "field notes of one team, the phrase only",
    path: "events",
    status: 401,
    body: "Invalid access token",
    contentType: "text/plain",
  },
  {
    name: "judged: all valid",
    source: "Snapchat/business-sdk-v3-java, ValidateResponse",
    path: "events/validate",
    status: 200,
    body: {
      status: "VALID",
      test_event: true,
      reason: "free text",
      event_logs: [{ event: 1, status: "VALID", warnings: [] }],
    },
  },
  {
    name: "judged: one invalid",
    source: "docs.treasuredata.com in part, ValidateResponse for the rest",
    path: "events/validate",
    status: 400,
    body: {
      status: "INVALID",
      test_event: true,
      reason: "At least one of the events is invalid.",
      event_logs: [
        { event: 1, status: "VALID" },
        { event: 2, status: "INVALID", errors: { codes: ["517"], error_msgs: ["free text"] }, warnings: ["free text"] },
      ],
    },
  },
];

/** Logs and stats, as Snap's SDK declares them. */
export const LOGS = {
  status: "SUCCESS",
  reason: "free text",
  logs: [
    {
      event_name: "PURCHASE",
      raw_event_name: "purchase",
      event_time: "1790000000",
      action_source: "WEB",
      status: "VALID",
      integration: "my-cdp",
      asset_id: "11111111-2222-4333-8444-555555555555",
      error_records: [],
      warning_records: [],
      event_metadata: { pixel_id: "11111111-2222-4333-8444-555555555555", snap_app_id: null, app_id: null },
    },
  ],
};

export const STATS = {
  status: "SUCCESS",
  reason: "free text",
  stats: {
    test: { latest_event_ts: 1_790_000_000_000, event_count_past_hour: 3 },
    live: { latest_event_ts: 1_790_000_000_000, event_count_past_hour: 812 },
  },
};
