import { page } from "./page.ts";

/** A click on an ad, as the landing page's address tells it. */
export interface Click {
  /** `ScCid`, case kept: `sc_click_id` of a server event. */
  clickId?: string;
  /** When it was first seen. Milliseconds since 1970. */
  clickIdSeenAtMs?: number;
}

/** The click of an address; also inside another parameter, as the pixel finds it. */
export function clickOf(address: string): Click | undefined {
  const clickId = /[?&#]ScCid=([\w-]+)/.exec(address)?.[1];
  if (clickId) return { clickId, clickIdSeenAtMs: Date.now() };
  const inner = decodeURIComponent(address);
  if (inner !== address) return clickOf(inner);
}

/**
 * The last click of this visitor: that of the landing page, or an earlier one with the time it was first seen. Kept in
 * local storage with consent, removed without.
 */
export function keptClick(granted: boolean, landed: Click | undefined): Click | undefined {
  const { localStorage } = page;
  const kept: Click = JSON.parse(localStorage.sc_click ?? "{}");
  if (!granted) delete localStorage.sc_click;
  else if (!landed || landed.clickId === kept.clickId) return kept;
  else localStorage.sc_click = JSON.stringify(landed);
  return landed;
}
