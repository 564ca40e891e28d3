/**
 * Event names of the Conversions API and the pixel: one list for both (Conversions-API/Parameters; Snap's tag
 * templates for web and server agree).
 */
export const EVENT_NAMES = [
  "PAGE_VIEW",
  "VIEW_CONTENT",
  "LIST_VIEW",
  "SEARCH",
  "ADD_CART",
  "ADD_TO_WISHLIST",
  "SAVE",
  "START_CHECKOUT",
  "ADD_BILLING",
  "PURCHASE",
  "SIGN_UP",
  "LOGIN",
  "SUBSCRIBE",
  "START_TRIAL",
  "COMPLETE_TUTORIAL",
  "INVITE",
  "SHARE",
  "RESERVE",
  "RATE",
  "AD_CLICK",
  "AD_VIEW",
  "APP_INSTALL",
  "APP_OPEN",
  "LEVEL_COMPLETE",
  "ACHIEVEMENT_UNLOCKED",
  "SPENT_CREDITS",
  "CUSTOM_EVENT_1",
  "CUSTOM_EVENT_2",
  "CUSTOM_EVENT_3",
  "CUSTOM_EVENT_4",
  "CUSTOM_EVENT_5",
] as const;

/** One of the names Snapchat knows. */
export type EventName = (typeof EVENT_NAMES)[number];

/** Names that make sense from an app only. */
export const APP_EVENT_NAMES = ["APP_INSTALL", "APP_OPEN"] as const satisfies readonly EventName[];

export type AppEventName = (typeof APP_EVENT_NAMES)[number];

/** Wrong names met in the wild, and the words of the interface Snapchat's v3 was modelled on: what they mean here. */
export const EVENT_NAME_ALIASES: Readonly<Record<string, EventName>> = {
  ADD_TO_CART: "ADD_CART",
  ADDTOCART: "ADD_CART",
  ADD_WISHLIST: "ADD_TO_WISHLIST",
  ADDTOWISHLIST: "ADD_TO_WISHLIST",
  ADDPAYMENTINFO: "ADD_BILLING",
  COMPLETEREGISTRATION: "SIGN_UP",
  INITIATECHECKOUT: "START_CHECKOUT",
  INSTALL_APP: "APP_INSTALL",
  OPEN_APP: "APP_OPEN",
  PAGEVIEW: "PAGE_VIEW",
  SPEND_CREDITS: "SPENT_CREDITS",
  STARTTRIAL: "START_TRIAL",
  VIEWCONTENT: "VIEW_CONTENT",
};

const NAMES: ReadonlySet<string> = new Set(EVENT_NAMES);

/** Whether `name` is one of the 31, spelt as Snapchat spells it. */
export function isEventName(name: string): name is EventName {
  return NAMES.has(name);
}
