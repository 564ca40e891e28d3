/** What a marketer and Snapchat have done to a destination: what the life cycle should be, sharing nothing with the code. */
export interface Shop {
  tenantId: string;
  id: string;
  name: string;
  enabled: boolean;
  /** What becomes of the queue while it is disabled. */
  onDisable: "hold" | "finish" | "drop";
  serverSide: boolean;
  place: Place;
  /** Every pixel ever chosen, and what becomes of its queue. */
  pixels: Map<string, "deliver" | "drop">;
  /** `revoked`: deleted in the Business Dashboard, which nobody here was told. */
  token: "none" | "good" | "revoked";
  /** `lost`: Snapchat no longer knows the login, which nobody here was told. */
  login: "none" | "good" | "lost";
  /** Changes of the ad account. */
  moves: number;
  suspended: boolean;
  gone: boolean;
}

/** What is chosen: an ad account with its pixel. */
export interface Place {
  adAccountId: string;
  pixelId: string;
}

/** Something that was acknowledged: an event by its id, or a person by the hash that enters a segment. */
export interface Item {
  id: string;
  type: "event" | "member";
  shop: Shop;
  queuedAtMs: number;
  /** Where it may be bound for: more than one where the choice changed in the same moment. */
  to: readonly Place[];
  delivered: boolean;
  /** It was to be dropped. `maybe`: it came, or was on its way, in the same moment. */
  dropped: "no" | "maybe" | "yes";
  /** Since then nothing of it may leave. Virtual milliseconds. */
  closedAtMs: number | undefined;
}

export function born(tenantId: string, id: string, name: string, place: Place): Shop {
  return {
    tenantId,
    id,
    name,
    enabled: true,
    onDisable: "hold",
    serverSide: true,
    place,
    pixels: new Map([[place.pixelId, "deliver"]]),
    token: "good",
    login: "good",
    moves: 0,
    suspended: false,
    gone: false,
  };
}

/** Nothing that the host or the marketer decided keeps it here. */
export function mayLeave({ shop, type, to, dropped }: Item): boolean {
  if (shop.gone || shop.suspended || (!shop.enabled && shop.onDisable !== "finish")) return false;
  if (type === "member") return shop.login !== "none" && dropped !== "yes";
  if (!shop.serverSide || (shop.token === "none" && shop.login === "none")) return false;
  return to.some(({ pixelId }) => shop.pixels.get(pixelId) === "deliver") && dropped !== "yes";
}

/** And Snapchat would take it. */
export function mustLeave(item: Item): boolean {
  const { shop, type, dropped, to } = item;
  if (dropped !== "no" || !mayLeave(item)) return false;
  if (type === "member") return shop.login === "good";
  const certain = to.every(({ pixelId }) => shop.pixels.get(pixelId) === "deliver");
  return certain && (shop.token === "good" || shop.login === "good");
}

/** Whether what is acknowledged now is sent at all. */
export const takesEvents = (shop: Shop): boolean => !shop.gone && shop.enabled && !shop.suspended && shop.serverSide;
