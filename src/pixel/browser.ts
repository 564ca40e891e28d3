/**
 * The pixel on a page: waits for consent, checks what the pixel would drop silently, and shares one id with the server.
 * No dependency, at most 2.0 kB, and nothing here throws into the host's page.
 *
 * @module
 */
import type { EventName } from "../wire/event-names.ts";
import { type Click, clickOf, keptClick } from "./click.ts";
import type { BrowserIdentifiers, Pixel, PixelIdentity, PixelOptions, PixelWarning } from "./options.ts";
import { page, type Snaptr } from "./page.ts";
import { pixelParameters } from "./parameters.ts";
import { onEveryRoute, where } from "./route-change.ts";

export type * from "./options.ts";

const PIXEL_ID = /^[\da-f]{8}-[\da-f]{4}-[1-5][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
/** Events kept until consent; beyond it the oldest goes. */
const QUEUE_LIMIT = 100;
/** Only what is hashed, and only who: event data given to `init` would stick to every later event. */
const IDENTITY = /^user_hashed_(email|phone_number) [\da-f]{64}$/;

/**
 * Puts a pixel on the page. Called again for the same pixel, it gives the first one back.
 *
 * @example
 * ```ts
 * import { createPixel } from "snapchat-destination/pixel/browser";
 *
 * const pixel = createPixel({
 *   pixelId: "11111111-2222-4333-8444-555555555555",
 *   events: ["PAGE_VIEW", "ADD_CART"],
 *   pageViews: true,
 * });
 * pixel.track("ADD_CART", { price: 20, currency: "GBP", item_ids: ["sku-1"] }); // waits
 * pixel.consent(true); // loads the pixel and sends
 * ```
 */
export function createPixel(options: PixelOptions): Pixel {
  const given: Partial<PixelOptions> = { ...options };
  let granted = false;
  /** The pixel has been told of the person. */
  let started = false;
  let person: Person = {};
  let click: Click | undefined;
  let waiting: (() => void)[] | undefined = [];

  const warn = (code: PixelWarning, name?: string): undefined => {
    try {
      given.debug?.(code, name);
    } catch {}
  };

  const silence = (code: PixelWarning): void => {
    silent = code;
    warn(code);
  };

  /** The same work, telling of an error instead of throwing it. */
  const safe =
    <Input extends unknown[], Output>(work: (...input: Input) => Output, code: PixelWarning = "failed") =>
    (...input: Input): Output | undefined => {
      try {
        return work(...input);
      } catch {
        return warn(code);
      }
    };

  const pixelId = safe(() => (given.pixelId as string).toLowerCase())() ?? "";
  /** Why nothing may be sent until the page is loaded anew. */
  let silent: PixelWarning | undefined = given.off ?? (PIXEL_ID.test(pixelId) ? undefined : "pixel_id_invalid");

  // Not in pages without TLS. It tells events apart and keeps no secret, so time and chance will do.
  const newId = () => safe(() => crypto.randomUUID(), "no_random_uuid")() ?? `${Date.now()}-${Math.random()}`;

  const snaptr = (command: "init" | "track", ...rest: unknown[]) => page.snaptr?.(command, pixelId, ...rest);

  const track = (event: EventName, data?: object): string | undefined => {
    if (!given.events?.includes(event)) return warn("event_off", event);
    const parameters = pixelParameters({ ...data, ...given.always }, warn, given.allow);
    parameters.client_dedup_id ??= newId();
    const id = parameters.client_dedup_id as string;
    safe(() => given.onEvent?.(id, event))();
    const at = where();
    const send = () => {
      // The pixel reads the page's address when it sends, so a view of a page that was left would become one of this.
      if (event === "PAGE_VIEW" && at !== where()) warn("page_left", event);
      else snaptr("track", event, parameters);
    };
    if (silent) warn(silent, event);
    else if (granted) send();
    else if (!waiting) warn("consent_denied", event);
    else if (waiting.push(send) > QUEUE_LIMIT) {
      waiting.shift();
      warn("queue_full");
    }
    return id;
  };

  const consent = (answer: boolean): void => {
    granted = answer === true;
    const queued = waiting;
    waiting = undefined;
    click = safe(keptClick, "storage_blocked")(granted, landed) ?? landed;
    const stub = page.snaptr;
    if (!granted && stub && !stub.handleRequest) {
      // The script is still on its way: what it has not been told yet it need not hear.
      stub.queue = stub.queue.filter((call) => call[1] !== pixelId);
    }
    if (silent || !granted) return;
    if (!stub) safe(load)();
    started = true;
    snaptr("init", person);
    for (const send of queued ?? []) send();
    tell();
  };

  const load = (): void => {
    const { document } = page;
    const stub: Snaptr = (...call) => (stub.handleRequest ? stub.handleRequest(...call) : stub.queue.push(call));
    stub.queue = [];
    document.head.appendChild(
      Object.assign(document.createElement("script"), {
        src: given.script ?? "https://sc-static.net/scevent.min.js",
        // Any script of the page may read the nonce; what has one may run.
        nonce: given.nonce ?? document.querySelector("script[nonce]")?.nonce ?? "",
        onload: tell,
        onerror: () => silence("script_blocked"),
      }),
    );
    page.snaptr = stub;
  };

  const identify = (identity: PixelIdentity | null): void => {
    const next: Person = {};
    let other = !identity;
    for (const [key, digest] of Object.entries<string>({ ...identity })) {
      if (IDENTITY.test(`${key} ${digest}`)) {
        next[key] = digest;
        other ||= (person[key] ?? digest) !== digest;
      } else if (digest) warn("identity_raw", key);
    }
    const stays = other && Object.keys(person).some((key) => !next[key]);
    person = other ? next : { ...person, ...next };
    // The pixel merges what `init` is given and forgets nothing: this person's events would carry the other's digests.
    if (started && stays) silence("identity_changed");
    else if (granted) snaptr("init", next);
  };

  const identifiers = (): BrowserIdentifiers =>
    granted
      ? { ...click, cookie1: safe(() => /\b_scid=([^;]+)/.exec(page.document.cookie)?.[1], "storage_blocked")() }
      : {};

  const tell = safe(() => given.onIdentifiers?.(identifiers()));

  page.snapchatPixels ??= {};
  const pixels = page.snapchatPixels;
  const known = pixels[pixelId];
  if (known) return warn("already_created") ?? known;
  const pixel = { track: safe(track), consent: safe(consent), identify: safe(identify), identifiers, newId } as Pixel;
  pixels[pixelId] = pixel;

  const landed = safe(() => clickOf(page.location.href))();
  if (silent) warn(silent);
  if (given.identity) pixel.identify(given.identity);
  if (given.consent != null) pixel.consent(given.consent);
  if (given.pageViews) safe(onEveryRoute)(() => pixel.track("PAGE_VIEW"));
  return pixel;
}

type Person = Record<string, string>;
