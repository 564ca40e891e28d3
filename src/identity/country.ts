import { countryData } from "./country-data.ts";
import { keeping } from "./keeping.ts";
import { type Omitted, omit } from "./reason.ts";

/** ISO 3166-1 alpha-2, and XK for Kosovo; the test holds it against i18n-iso-countries. */
const ISO_CODES: ReadonlySet<string> = new Set(
  (
    "ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by bz ca cc " +
    "cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et fi fj fk fm fo fr ga gb gd " +
    "ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh " +
    "ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw " +
    "mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc " +
    "sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug um us uy " +
    "uz va vc ve vg vi vn vu wf ws xk ye yt za zm zw"
  ).split(" "),
);

/** Two-letter codes in use that are not ISO's: the United Kingdom's own and the European Union's for Greece. */
const OTHER_CODES: ReadonlyMap<string, string> = new Map([
  ["uk", "gb"],
  ["el", "gr"],
]);

/** Names that people write and the data does not hold. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  america: "us",
  england: "gb",
  scotland: "gb",
  wales: "gb",
  northernireland: "gb",
  britain: "gb",
  holland: "nl",
  burma: "mm",
  swaziland: "sz",
  macedonia: "mk",
  vietnam: "vn",
  laos: "la",
  syria: "sy",
  southkorea: "kr",
  northkorea: "kp",
  brunei: "bn",
  caboverde: "cv",
  easttimor: "tl",
  vatican: "va",
  micronesia: "fm",
};

/** `undefined` for a name that says nothing, because a language gives it to two countries. */
type Names = Map<string, string | undefined>;

let names: Names | undefined;

/** Spellings seen are kept, because folding one takes longer than all other rules together. */
const codeOf = keeping(2_000, (text) => {
  const name = fold(text);
  return OTHER_CODES.get(name) ?? knownNames().get(name);
});

/** ISO 3166-1 alpha-2 in lower case, from alpha-2 and alpha-3 codes and from names in several languages. */
export function normalizeCountry(text: string): string | Omitted {
  if (text.length === 2) {
    const code = text.toLowerCase();
    if (ISO_CODES.has(code)) return code;
  }
  return codeOf(text) ?? omit("unknown_country");
}

/** The code of a country given as an option, or `undefined` where it is none or unknown. */
export function countryCode(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const code = normalizeCountry(text);
  return typeof code === "string" ? code : undefined;
}

function knownNames(): Names {
  names ??= readNames();
  return names;
}

function readNames(): Names {
  const { codes, names: languages } = countryData.get();
  const all: Names = new Map();
  for (const [alpha2, alpha3] of codes) {
    all.set(alpha2.toLowerCase(), alpha2.toLowerCase());
    all.set(alpha3.toLowerCase(), alpha2.toLowerCase());
  }
  for (const [name, code] of Object.entries(OTHER_NAMES)) all.set(name, code);
  for (const { countries } of languages) addLanguage(all, countries);
  return all;
}

/** A name already known stays, so the languages count in their order. */
function addLanguage(all: Names, countries: Record<string, string | string[]>): void {
  const found: Names = new Map();
  for (const [alpha2, written] of Object.entries(countries)) {
    const code = alpha2.toLowerCase();
    for (const name of Array.isArray(written) ? written : [written]) {
      const key = fold(name);
      found.set(key, found.has(key) && found.get(key) !== code ? undefined : code);
    }
  }
  for (const [name, code] of found) if (!all.has(name)) all.set(name, code);
}

/** Letters without marks, so that accents, dots, hyphens and "the" make no difference. */
function fold(text: string): string {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/&/g, "and")
    .replace(/\bst\.?\s/g, "saint")
    .replace(/^\W*the\s/, "")
    .replace(/[^\p{L}]+/gu, "");
}
