import { extinfo } from "../wire/extinfo.ts";
import { OPERATORS } from "./filter.ts";
import { FUNCTIONS, type MappingFunction } from "./functions.ts";
import { generateTest, generateWriter } from "./generate.ts";
import type { Library } from "./mapping.ts";
import { compilePath } from "./path.ts";
import { toText } from "./values.ts";

const at = (path: string) => {
  const get = compilePath(path);
  return (context: unknown) => toText(get(context)) || undefined;
};

const OS_NAME = at("os.name");
const SLOTS = {
  osVersion: at("os.version"),
  packageName: at("app.id"),
  shortVersion: at("app.build"),
  longVersion: at("app.version"),
  deviceModel: at("device.model"),
  locale: at("locale"),
  carrier: at("carrier"),
  screenWidth: at("screen.width"),
  screenHeight: at("screen.height"),
  screenDensity: at("screen.density"),
  timezone: at("timezone"),
};

/** `app_data.extinfo` of an event's context; absent without a platform and its version, which Snapchat requires. */
const extinfoOf: MappingFunction = (context) => {
  const os = (OS_NAME(context) ?? "").toLowerCase();
  const platform = os.includes("android") ? "android" : /^(ios|ipados|iphone os)$/.test(os) ? "ios" : undefined;
  const osVersion = SLOTS.osVersion(context);
  if (!platform || !osVersion) return undefined;
  const named = Object.fromEntries(Object.entries(SLOTS).map(([slot, read]) => [slot, read(context) ?? ""]));
  return extinfo({ ...named, platform, osVersion });
};

/** Functions and operators of workflows on the server, without plugins. App events do not happen in browsers. */
export const LIBRARY: Library = {
  functions: { ...FUNCTIONS, extinfo: extinfoOf },
  operators: OPERATORS,
  test: generateTest,
  writer: generateWriter,
};
