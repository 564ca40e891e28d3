import { signIn } from "../../snapchat/shop.ts";
import { forgotten } from "./checks.ts";
import type { History } from "./history.ts";
import type { Place } from "./model.ts";

/** One thing that happens to the destination. */
export interface Step {
  name: string;
  /** Where it is bound for afterwards, where that changes. */
  to?: Place | undefined;
  /** Leaves an audit line where it takes effect. */
  audited: boolean;
  /** Codes of refusals that are right. */
  mayFailWith: readonly string[];
  call(actor: string): Promise<unknown>;
  /** What it changes, once it has resolved. */
  apply(startedAtMs: number): void;
  /** Done when that is noted. */
  after?(): Promise<void>;
}

type Make = (history: History) => Step;

const pick = <T>(history: History, all: readonly T[]): T => all[Math.floor(history.random() * all.length)] as T;
const own = (history: History) => history.tenant(history.shop).destinations;
const plain = { audited: true, mayFailWith: [] } as const;

const MAKERS: Record<string, { weight: number; make: Make }> = {
  disable: {
    weight: 3,
    make(history) {
      const queue = pick(history, ["hold", "finish", "drop"] as const);
      return {
        ...plain,
        name: `disable, ${queue}`,
        audited: history.shop.enabled || history.shop.onDisable !== queue,
        call: (actor) => own(history).disable(history.shop.id, { queue, actor }),
        apply(startedAtMs) {
          Object.assign(history.shop, { enabled: false, onDisable: queue });
          if (queue === "drop") history.drop(startedAtMs);
        },
      };
    },
  },
  enable: {
    weight: 4,
    make: (history) => ({
      ...plain,
      name: "enable",
      audited: !history.shop.enabled,
      mayFailWith: history.shop.token === "none" && history.shop.login === "none" ? ["destination_incomplete"] : [],
      call: (actor) => own(history).enable(history.shop.id, { actor }),
      apply(startedAtMs) {
        const { shop } = history;
        // What came back after the queue was dropped is dropped before it is switched on.
        if (!shop.enabled && shop.onDisable === "drop") history.drop(startedAtMs);
        Object.assign(shop, { enabled: true, onDisable: "hold" });
      },
    }),
  },
  rename: {
    weight: 1,
    make(history) {
      const name = `Shop ${Math.floor(history.random() * 1e6)}`;
      return {
        ...plain,
        name: "rename",
        call: (actor) => own(history).rename(history.shop.id, name, { actor }),
        apply: () => Object.assign(history.shop, { name }),
      };
    },
  },
  stale: {
    weight: 1,
    make: (history) => ({
      ...plain,
      name: "an update on an old version",
      mayFailWith: ["version_conflict"],
      async call(actor) {
        const { version } = await own(history).get(history.shop.id);
        await own(history).update(history.shop.id, { serverSide: false }, { actor, expectedVersion: version - 1 });
      },
      apply: () => history.wrong("a change on an old version was taken"),
    }),
  },
  move: {
    weight: 3,
    make(history) {
      const to = history.places.slice(0, 2).find(({ pixelId }) => pixelId !== history.shop.place.pixelId) as Place;
      const queue = pick(history, ["old_asset", "drop"] as const);
      return {
        ...plain,
        name: `move, ${queue}`,
        to,
        // What may be chosen is asked with the login.
        mayFailWith: history.shop.login === "lost" ? ["reauth_required"] : [],
        call: (actor) => own(history).update(history.shop.id, to, { queue, actor }),
        apply(startedAtMs) {
          const { shop } = history;
          const from = shop.place;
          // What came back of the new one's own dropped queue goes first.
          if (shop.pixels.get(to.pixelId) === "drop") history.drop(startedAtMs, to);
          shop.place = to;
          shop.moves += 1;
          shop.pixels.set(to.pixelId, "deliver").set(from.pixelId, queue === "drop" ? "drop" : "deliver");
          if (queue === "drop") history.drop(startedAtMs, from);
        },
      };
    },
  },
  serverSide: {
    weight: 2,
    make(history) {
      const serverSide = !history.shop.serverSide;
      return {
        ...plain,
        name: `server-side ${serverSide ? "on" : "off"}`,
        call: (actor) => own(history).update(history.shop.id, { serverSide }, { actor }),
        apply: () => Object.assign(history.shop, { serverSide }),
      };
    },
  },
  pasteToken: {
    weight: 2,
    make: (history) => ({
      ...plain,
      name: "paste a token",
      call: (actor) => own(history).update(history.shop.id, { conversionsToken: history.newToken() }, { actor }),
      apply: () => Object.assign(history.shop, { token: "good" }),
    }),
  },
  removeToken: {
    weight: 2,
    make: (history) => ({
      ...plain,
      name: "remove the token",
      call: (actor) => own(history).update(history.shop.id, { conversionsToken: null }, { actor }),
      apply: () => Object.assign(history.shop, { token: "none" }),
    }),
  },
  revokeTokens: {
    weight: 1,
    make: (history) => ({
      ...plain,
      name: "the token is deleted at Snapchat",
      audited: false,
      async call() {
        const { control, world } = history.world.simulator;
        const token = world.conversionsTokens.filter(({ revoked }) => !revoked).at(-1);
        if (history.shop.token === "good" && token) control.revokeConversionsToken(token.id);
      },
      apply() {
        if (history.shop.token === "good") history.shop.token = "revoked";
      },
    }),
  },
  disconnect: {
    weight: 2,
    make: (history) => ({
      ...plain,
      name: "disconnect",
      audited: history.shop.login !== "none",
      call: (actor) => own(history).disconnect(history.shop.id, { actor }),
      apply: () => Object.assign(history.shop, { login: "none" }),
    }),
  },
  connect: {
    weight: 3,
    make(history) {
      const person = pick(history, ["ada", "ben"]);
      return {
        ...plain,
        name: `sign in as ${person}`,
        audited: false,
        async call() {
          const { snapchat, simulator } = history.world;
          const response = await signIn({ snapchat, simulator }, "acme", history.shop.id, person);
          if (response.status >= 400) throw new Error(`sign-in: ${response.status} ${await response.text()}`);
        },
        apply: () => Object.assign(history.shop, { login: "good" }),
      };
    },
  },
  loseLogin: {
    weight: 2,
    make: (history) => ({
      ...plain,
      name: "the login is taken back at Snapchat",
      audited: false,
      async call() {
        const { control } = history.world.simulator;
        for (const person of ["ada", "ben"]) {
          control.revokeAccessTokens(person);
          control.revokeRefreshTokens(person);
        }
      },
      apply() {
        if (history.shop.login === "good") history.shop.login = "lost";
      },
    }),
  },
  suspend: {
    weight: 2,
    make: (history) => ({
      ...plain,
      name: "suspend",
      call: (actor) => history.world.snapchat.tenants.suspend("acme", { actor }),
      apply() {
        for (const shop of [history.shop, history.side]) shop.suspended = true;
      },
    }),
  },
  resume: {
    weight: 3,
    make: (history) => ({
      ...plain,
      name: "resume",
      call: (actor) => history.world.snapchat.tenants.resume("acme", { actor }),
      apply() {
        for (const shop of [history.shop, history.side]) shop.suspended = false;
      },
    }),
  },
  remove: {
    weight: 1,
    make: (history) => ({
      ...plain,
      name: "delete",
      call: (actor) =>
        own(history).delete(history.shop.id, { segments: pick(history, ["keep", "empty", "delete"]), actor }),
      apply: () => history.forget(history.shop),
      async after() {
        await forgotten(history, [history.shop], `destination/acme/${history.shop.id}`);
        if (history.shop.suspended) await history.world.snapchat.tenants.resume("acme");
        history.side.suspended = false;
        history.shop = await history.open("acme", "Shop", history.places[0] as Place);
      },
    }),
  },
  offboard: {
    weight: 1,
    make: (history) => ({
      ...plain,
      name: "offboard",
      call: (actor) => history.world.snapchat.tenants.offboard("acme", { actor }),
      apply() {
        for (const shop of [history.shop, history.side]) history.forget(shop);
      },
      async after() {
        await forgotten(history, [history.shop, history.side], "/acme");
        await history.world.snapchat.tenants.resume("acme");
        history.side = await history.open("acme", "Side", history.places[2] as Place, "cleo");
        history.shop = await history.open("acme", "Shop", history.places[0] as Place);
      },
    }),
  },
};

const TICKETS = Object.values(MAKERS).flatMap(({ weight, make }) => Array.from({ length: weight }, () => make));

/** The next thing that happens. */
export const stepOf = (history: History): Step => pick(history, TICKETS)(history);
