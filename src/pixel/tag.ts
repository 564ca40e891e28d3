import { SnapchatError } from "../errors.ts";
import type { PixelConfig, PixelIdentity } from "./options.ts";

/** Written into the code by the build (see `scripts/pixel-script.ts`). */
declare const PIXEL_SCRIPT: string | undefined;

/**
 * The text of the single-file script, for pages without a bundler: it leaves `snapchatDestination.createPixel` on the
 * page. Serve it from an address of your own, or let {@link pixelTag} write it into the page.
 *
 * @throws {SnapchatError} `pixel_script_missing` where this package runs from its sources without having been built.
 * @example
 * ```ts
 * import { pixelScript } from "snapchat-destination/pixel";
 *
 * export const serve = () =>
 *   new Response(pixelScript(), {
 *     headers: { "content-type": "text/javascript; charset=utf-8", "cache-control": "public, max-age=3600" },
 *   });
 * ```
 */
export function pixelScript(): string {
  if (typeof PIXEL_SCRIPT === "string") return PIXEL_SCRIPT;
  throw new SnapchatError({
    code: "pixel_script_missing",
    kind: "bug",
    message: "The pixel's script is made by the build, and this package runs from its sources.",
    fix: "Build the package, or use the published one.",
  });
}

/** What one page is given. */
export interface PixelTagOptions {
  /** Nonce of the page's Content-Security-Policy, new for every answer. */
  nonce?: string | undefined;
  /** Digests of the person, as {@link pixelIdentity} makes them. */
  identity?: PixelIdentity | undefined;
  /** Absent: not decided; the page says it later with `snapchatPixels[id].consent(true)`. */
  consent?: boolean | undefined;
  /** Send PAGE_VIEW now and after every route change. Default: no. */
  pageViews?: boolean | undefined;
  /** Warnings to the console. Default: no. */
  debug?: boolean | undefined;
  /** Address you serve {@link pixelScript} at. Absent: it stands in the page, 2 kB. */
  src?: string | undefined;
}

/**
 * HTML for the head of a page: the runtime, and the pixel with its configuration. Everything in it is escaped. The page
 * finds the pixel under `snapchatPixels["<pixel id>"]`.
 *
 * @throws {SnapchatError} `nonce_invalid` (fix_configuration) for a nonce that is not base64.
 * @example
 * ```ts
 * import { type PixelConfig, pixelTag } from "snapchat-destination/pixel";
 *
 * declare const config: PixelConfig; // what tenant.pixel.config() gave
 * const head = pixelTag(config, { nonce: "cmFuZG9t", pageViews: true });
 * ```
 */
export function pixelTag(config: PixelConfig, options: PixelTagOptions = {}): string {
  const { nonce, src, debug, identity, consent, pageViews } = options;
  // The rules are the router's business, which a page without a bundler has not.
  const { workflow: _, ...settings } = config;
  if (nonce !== undefined && !/^[\w+/-]+={0,2}$/.test(nonce)) {
    throw new SnapchatError({
      code: "nonce_invalid",
      kind: "fix_configuration",
      message: "The nonce is not base64.",
      fix: "Make one anew for every answer: randomBytes(16).toString('base64').",
    });
  }
  const open = nonce === undefined ? "<script" : `<script nonce="${nonce}"`;
  const given = inScript({ ...settings, nonce, identity, consent, pageViews });
  const create = `snapchatDestination.createPixel(${debug ? `Object.assign(${given},{debug:console.warn})` : given});`;
  return src === undefined
    ? `${open}>${pixelScript()}${create}</script>`
    : `${open} src="${inAttribute(src)}"></script>${open}>${create}</script>`;
}

/** JSON that cannot end a script element, open a comment in it, or break a line where none may be. */
function inScript(value: object): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function inAttribute(text: string): string {
  return text.replace(/[&"'<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
