import { lazy } from "./lazy.ts";

type Library = typeof import("libphonenumber-js/min");

/** What we use of libphonenumber-js: about 100 kB of metadata, loaded at the first phone that the fast path does not know. */
export const phoneLibrary = lazy<Pick<Library, "parsePhoneNumberFromString">>(
  "libphonenumber-js/min",
  (require) => require("libphonenumber-js/min") as Library,
  () => import("libphonenumber-js/min"),
);
