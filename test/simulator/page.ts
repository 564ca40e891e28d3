import vm from "node:vm";

/** As much of a browser page as the pixel script touches: cookies, storage, beacons, script tags. */
export interface Page {
  run(code: string): unknown;
  /** `window.snaptr`, as the page's own code calls it. */
  snaptr(...call: unknown[]): void;
  go(url: string): void;
  readonly cookies: Map<string, string>;
  readonly local: Map<string, string>;
  /** Resolves when every beacon and script so far has been answered. */
  idle(): Promise<void>;
}

const STUB =
  "(function(e){if(e.snaptr)return;var a=e.snaptr=function(){a.handleRequest?a.handleRequest.apply(a,arguments):a.queue.push(arguments)};a.queue=[]})(window)";

/** A page at `url` that has run Snapchat's stub. `loadScript` then loads the pixel script from the simulator. */
export function openPage(url: string, options: { beacons?: boolean; cookies?: Map<string, string> } = {}) {
  const cookies = options.cookies ?? new Map<string, string>();
  const local = new Map<string, string>();
  const session = new Map<string, string>();
  const pending = new Set<Promise<unknown>>();
  const timers = new Set<NodeJS.Timeout>();
  const location = { href: url, hostname: new URL(url).hostname };

  const track = <T>(promise: Promise<T>) => {
    pending.add(promise);
    promise.catch(() => {}).finally(() => pending.delete(promise));
    return promise;
  };
  const storage = (map: Map<string, string>) => ({
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => map.set(key, value),
  });
  const addScript = (element: { src: string; onerror?: () => void }) => {
    track(
      fetch(element.src, { headers: { origin: new URL(url).origin } }).then(async (response) => {
        if (response.ok) context.eval(await response.text());
        else element.onerror?.();
      }),
    );
  };
  const post = (target: string, body: string, type: string) =>
    track(fetch(target, { method: "POST", body, headers: { "content-type": type, origin: new URL(url).origin } }));

  class Blob {
    text: string;
    type: string;
    constructor(parts: string[], { type }: { type: string }) {
      this.text = parts.join("");
      this.type = type;
    }
  }
  class XMLHttpRequest {
    status = 0;
    responseText = "";
    withCredentials = false;
    onload?: () => void;
    #method = "GET";
    #url = "";
    #type = "text/plain";
    open(method: string, target: string) {
      this.#method = method;
      this.#url = target;
    }
    setRequestHeader(_: string, value: string) {
      this.#type = value;
    }
    send(body?: string) {
      if (this.#method === "POST") post(this.#url, body ?? "", this.#type);
      else {
        track(
          fetch(this.#url).then(async (response) => {
            this.status = response.status;
            this.responseText = await response.text();
            this.onload?.();
          }),
        );
      }
    }
  }

  const document = {
    readyState: "complete",
    referrer: "",
    body: {},
    head: { appendChild: addScript },
    createElement: () => ({ src: "" }),
    querySelectorAll: () => [],
    addEventListener: () => {},
    get cookie() {
      return [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    },
    set cookie(text: string) {
      const [pair = "", ...attributes] = text.split("; ");
      const mark = pair.indexOf("=");
      if (attributes.includes("max-age=0")) cookies.delete(pair.slice(0, mark));
      else cookies.set(pair.slice(0, mark), pair.slice(mark + 1));
    },
  };
  const window: Record<string, unknown> = {
    location,
    document,
    localStorage: storage(local),
    sessionStorage: storage(session),
    screen: { width: 1280, height: 720 },
    crypto: { randomUUID: () => crypto.randomUUID() },
    navigator:
      options.beacons === false
        ? {}
        : {
            sendBeacon(target: string, blob: Blob) {
              post(target, blob.text, blob.type);
              return true;
            },
          },
  };
  window.top = window;
  const context = vm.createContext({
    window,
    document,
    Blob,
    XMLHttpRequest,
    setTimeout: (task: () => void, ms: number) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        task();
      }, ms);
      timers.add(timer);
      return timer;
    },
    get snaptr() {
      return window.snaptr;
    },
  }) as vm.Context & { eval(code: string): unknown };
  context.eval = (code: string) => vm.runInContext(code, context);
  context.eval(STUB);

  return {
    cookies,
    local,
    run: (code: string) => context.eval(code),
    snaptr(...call: unknown[]) {
      (window.snaptr as (...call: unknown[]) => void)(...call);
    },
    go(next: string) {
      location.href = next;
    },
    async loadScript(origin: string) {
      const response = await fetch(`${origin}/scevent.min.js`);
      context.eval(await response.text());
    },
    /** Resolves when every beacon and script so far has been answered. */
    async idle() {
      while (pending.size > 0) await Promise.allSettled([...pending]);
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
