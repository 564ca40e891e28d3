import { lettersOnly } from "./name.ts";
import { type Omitted, omit } from "./reason.ts";

const FEMALE =
  "f female woman girl w weiblich frau femme féminin mujer femenino mulher feminino donna femmina vrouw vrouwelijk kvinna";
const MALE = "m male man boy männlich maennlich mann homme masculin hombre masculino homem uomo maschio mannelijk";

const WORDS: ReadonlyMap<string, "f" | "m"> = new Map([
  ...FEMALE.split(" ").map((word) => [word, "f"] as const),
  ...MALE.split(" ").map((word) => [word, "m"] as const),
]);

/** `f` or `m`, from letters and words of several languages; everything else is left out. */
export function normalizeGender(text: string): string | Omitted {
  return WORDS.get(lettersOnly(text)) ?? omit("unknown_gender");
}
