import type { Pixel, PixelOptions } from "./options.ts";

/** `window.snaptr`: the pixel's one function, or the stub that queues for it. */
export interface Snaptr {
  (...call: readonly unknown[]): void;
  queue: ArrayLike<unknown>[];
  /** Set by the pixel script once it runs. */
  handleRequest?: (...call: readonly unknown[]) => void;
}

type HistoryCall = (this: unknown, ...call: unknown[]) => unknown;

/** As much of a page as the runtime touches, so that importing it asks for no DOM types. */
export interface Page {
  snaptr?: Snaptr;
  document: {
    cookie: string;
    head: { appendChild(element: object): void };
    createElement(name: "script"): object;
    querySelector(selector: string): { nonce: string } | null;
  };
  location: { href: string };
  history: Record<"pushState" | "replaceState", HistoryCall>;
  localStorage: Record<string, string | undefined>;
  addEventListener(event: string, listener: () => void): void;
  /** The pixels of this page by id: whoever creates one again, from whatever copy of this package, gets the first. */
  snapchatPixels?: Record<string, Pixel>;
  /** What the single-file script leaves for the page. */
  snapchatDestination?: { createPixel(options: PixelOptions): Pixel };
}

/** The page this runs in; on a server there is none, and nothing of it is read at import. */
export const page = globalThis as unknown as Page;
