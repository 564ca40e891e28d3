/**
 * One real process of a host: a worker that delivers what waits. Told to, it kills itself at a point of the refresh, or
 * of learning that the login is over.
 */
import { createSnapchat, type SnapchatOptions } from "../../../src/index.ts";
import type { Storage } from "../../../src/storage/ports.ts";
import { openPlace, type Place } from "../places.ts";
import type { Kill } from "./kills.ts";

export interface Start {
  place: Place;
  options: Omit<SnapchatOptions, "storage" | "fetch" | "onReauthRequired">;
  killAt?: Kill;
}

const { place, options, killAt } = JSON.parse(process.argv[2] ?? "{}") as Start;
const die = () => process.kill(process.pid, "SIGKILL");

const opened = openPlace(place).storage;
const storage: Storage = Object.create(opened, {
  records: {
    value: new Proxy(opened.records, {
      get(records, name) {
        const method: unknown = Reflect.get(records, name);
        if (name !== "put" || typeof method !== "function") return method;
        return async (...call: Parameters<Storage["records"]["put"]>) => {
          const version = await records.put(...call);
          if (killAt === "after_write" && call[0].startsWith("connection/")) die();
          return version;
        };
      },
    }),
  },
});

const snapchat = createSnapchat({
  ...options,
  storage,
  async fetch(request) {
    const renewing = new URL(request.url).pathname.endsWith("/access_token");
    if (renewing && killAt === "before_request") die();
    const response = await fetch(request);
    if (renewing && killAt === "between_answer_and_write") {
      await response.clone().text();
      die();
    }
    return response;
  },
  onReauthRequired: () => process.send?.("reauth_required"),
});
snapchat.startWorker();
process.on("disconnect", () => process.exit());
process.send?.("ready");
