/** One or many raw (or already hashed) identifiers. */
export type OneOrMany<T> = T | readonly T[];

/** Identifiers and transport fields of a person, as a host knows them: not yet normalised, not yet hashed. */
export interface UserDataInput {
  em?: OneOrMany<string>;
  ph?: OneOrMany<string>;
  fn?: OneOrMany<string>;
  ln?: OneOrMany<string>;
  ge?: OneOrMany<string>;
  ct?: OneOrMany<string>;
  st?: OneOrMany<string>;
  zp?: OneOrMany<string>;
  country?: OneOrMany<string>;
  external_id?: OneOrMany<string>;
  madid?: string;
  idfv?: string;
  client_ip_address?: string;
  client_user_agent?: string;
  sc_click_id?: string;
  sc_cookie1?: string;
  lead_id?: string;
  subscription_id?: string;
  partner_id?: string;
  anon_id?: string;
  download_id?: string;
}

/**
 * An event in Snapchat's own words with raw identifiers: what a mapping produces and what `capi` validates, repairs,
 * hashes and turns into the JSON text that is sent.
 */
export interface SnapEventInput {
  event_name: string;
  /** Seconds, milliseconds, ISO 8601 text or Date; whole seconds leave. */
  event_time?: number | string | Date | undefined;
  /**
   * Another time the event itself carries (`receivedAt`, `sentAt`), in any of the same forms: what an `event_time` in
   * the future is clamped to. Never sent.
   */
  carried_time?: number | string | Date | undefined;
  event_id?: string | undefined;
  action_source?: string | undefined;
  event_source_url?: string | undefined;
  user_data?: UserDataInput;
  custom_data?: Record<string, unknown>;
  app_data?: Record<string, unknown>;
  data_processing_options?: readonly string[];
  integration?: string;
  test_event_code?: string;
  opt_out?: boolean;
}

/** Something noticed about a value: what, where, and what to do. Never holds the value itself. */
export interface Issue {
  /** Dotted path of the field: `user_data.ph`. */
  path: string;
  /** Stable, `snake_case`. */
  code: string;
  message: string;
  fix: string;
  /** `error`: the event is rejected; `repaired`: the field was fixed or dropped; `warning`: sent as it is. */
  severity: "error" | "repaired" | "warning";
}
