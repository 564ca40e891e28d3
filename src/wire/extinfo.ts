/** The 16 slots of `app_data.extinfo`, in order (Conversions-API/UsingTheAPI; peers agree on the order). */
export const EXTINFO_SLOTS = [
  "version",
  "packageName",
  "shortVersion",
  "longVersion",
  "osVersion",
  "deviceModel",
  "locale",
  "timezoneAbbreviation",
  "carrier",
  "screenWidth",
  "screenHeight",
  "screenDensity",
  "cpuCores",
  "storageGb",
  "freeStorageGb",
  "timezone",
] as const;

export type ExtinfoSlot = (typeof EXTINFO_SLOTS)[number];

/** The device behind an app event, by name. `platform` and `osVersion` are required, as Snapchat requires them. */
export type Extinfo = {
  /** Slot 0: `a2` for Android, `i2` for iOS. */
  platform: "android" | "ios";
  /** Package or bundle id: `net.example.game`. */
  packageName?: string;
  /** `771` */
  shortVersion?: string | number;
  /** `Version 7.7.1` */
  longVersion?: string | number;
  /** `17.2` */
  osVersion: string | number;
  deviceModel?: string;
  /** `en_US` */
  locale?: string;
  /** `GMT-1` */
  timezoneAbbreviation?: string;
  carrier?: string;
  /** Pixels. */
  screenWidth?: string | number;
  /** Pixels. */
  screenHeight?: string | number;
  screenDensity?: string | number;
  cpuCores?: string | number;
  storageGb?: string | number;
  freeStorageGb?: string | number;
  /** IANA name: `Europe/London`. */
  timezone?: string;
};

/** Sixteen texts in Snapchat's order. */
export type ExtinfoArray = readonly [
  version: "a2" | "i2" | (string & {}),
  packageName: string,
  shortVersion: string,
  longVersion: string,
  osVersion: string,
  deviceModel: string,
  locale: string,
  timezoneAbbreviation: string,
  carrier: string,
  screenWidth: string,
  screenHeight: string,
  screenDensity: string,
  cpuCores: string,
  storageGb: string,
  freeStorageGb: string,
  timezone: string,
];

/**
 * Builds the 16 slots of `app_data.extinfo` by name: no slot is swapped, an unknown one is an empty text.
 *
 * @example
 * ```ts
 * import { extinfo } from "snapchat-destination/capi";
 *
 * const slots = extinfo({ platform: "ios", osVersion: "18.1", packageName: "net.example.game", locale: "en_GB" });
 * ```
 */
export function extinfo(device: Extinfo): ExtinfoArray {
  const { platform, ...named } = device;
  const byName: Record<string, string | number | undefined> = { ...named, version: platform === "ios" ? "i2" : "a2" };
  return EXTINFO_SLOTS.map((slot) => String(byName[slot] ?? "")) as unknown as ExtinfoArray;
}
