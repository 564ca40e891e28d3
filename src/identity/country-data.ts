import { lazy } from "./lazy.ts";

interface Names {
  countries: Record<string, string | string[]>;
}
interface Data {
  codes: readonly (readonly [alpha2: string, alpha3: string, ...more: string[]])[];
  names: readonly Names[];
}

/** Country names are read in these languages; where two of them disagree, the earlier one holds. */
const LANGUAGES = ["en", "de", "es", "fr", "it", "nl", "pt"] as const;

/** Three-letter codes and names of i18n-iso-countries, loaded at the first country that is no two-letter code. */
export const countryData = lazy<Data>(
  "i18n-iso-countries/codes.json",
  (require) => ({
    codes: require("i18n-iso-countries/codes.json") as Data["codes"],
    names: LANGUAGES.map((language) => require(`i18n-iso-countries/langs/${language}.json`) as Names),
  }),
  async () => {
    const [codes, ...names] = await Promise.all([
      import("i18n-iso-countries/codes.json", { with: { type: "json" } }),
      import("i18n-iso-countries/langs/en.json", { with: { type: "json" } }),
      import("i18n-iso-countries/langs/de.json", { with: { type: "json" } }),
      import("i18n-iso-countries/langs/es.json", { with: { type: "json" } }),
      import("i18n-iso-countries/langs/fr.json", { with: { type: "json" } }),
      import("i18n-iso-countries/langs/it.json", { with: { type: "json" } }),
      import("i18n-iso-countries/langs/nl.json", { with: { type: "json" } }),
      import("i18n-iso-countries/langs/pt.json", { with: { type: "json" } }),
    ]);
    return { codes: codes.default as unknown as Data["codes"], names: names.map((language) => language.default) };
  },
);
