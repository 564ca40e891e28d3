/**
 * Snapchat's published and recorded limits. Each is a default: a host may lower them, and answers with status 429 or
 * `X-Rate-Limit-*` headers lower them live.
 */
export const LIMITS = {
  /** Events in one Conversions API request (Conversions-API/GetStarted). */
  eventsPerRequest: 2_000,
  /** Bytes of one Conversions API request body. Snapchat documents none; 4 MiB is ours. */
  bytesPerRequest: 4 * 1024 * 1024,
  /** Identifiers in one membership request (Ads-API/customer-lists, as quoted by peers). */
  identifiersPerRequest: 100_000,
  /** Requests a second of one OAuth access token (Ads-API/rate-limits). */
  oauthTokenPerSecond: 10,
  /** Requests a second of one OAuth app over all its tokens (Ads-API/rate-limits). */
  oauthAppPerSecond: 20,
  /** Requests a second of one long-lived Conversions API token, as recommended (Conversions-API/GetStarted). */
  conversionsTokenPerSecond: 1_000,
  /** Writes of ad account entities in five seconds of one token, as recorded in `X-Rate-Limit-Limit`. */
  segmentWritesPer5Seconds: 83,
  /** Audiences of one ad account (business help). */
  segmentsPerAdAccount: 1_000,
  /** Segments in one create or update request (Ads-API/api-patterns). */
  segmentsPerRequest: 15,
  /** Characters of a segment's name (Ads-API/customer-lists). */
  segmentNameLength: 375,
  /** Snapchat deduplicates by `event_id` this long. Milliseconds. */
  dedupeMs: 48 * 3_600_000,
  /** Snapchat deduplicates PURCHASE by `order_id` between pixel and server this long. Milliseconds. */
  purchaseDedupeMs: 30 * 86_400_000,
} as const;
