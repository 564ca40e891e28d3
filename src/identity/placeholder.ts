/** What programs write where they had nothing, in lower case; compared with the text before and after its rule. */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  "null",
  "(null)",
  "<null>",
  "undefined",
  "[object object]",
  "objectobject",
]);

/** SHA-256 of what programs hash where they had nothing; the test recomputes each from its text. */
export const DIGESTS_OF_NOTHING: Readonly<Record<string, string>> = {
  e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855: "",
  "36a9e7f1c95b82ffb99743e0c5c4ce95d83c9a430aac59f84ef3cbfab6145068": " ",
  "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b": "null",
  fb329000228cc5a24c264c57139de8bf854fc86fc18bf1c04ab61a2b5cb4b921: "NULL",
  dc937b59892604f5a86ac96936cd7ff09e25f18ae6b758e8014a24c7fa039e91: "None",
  eb045d78d273107348b0300c01d29b7552d622abbc6faf81b3ec55359aa9950c: "undefined",
  "9b2d5b4678781e53038e91ea5324530a03f27dc1d0e5f6c9bc9d493a23be9de0": "nan",
  d5b592c05dc25b5032553f1b27f4139be95e881f73db33b02b05ab20c3f9981e: "NaN",
  b28c94b2195c8ed259f0b415aaee3f39b0b2920a4537611499fa044956917a21: "[object Object]",
  c9a560c74de368dcd2e6ac5544ad12a9afd32584b71a52147303479f726e0408: "[object object]",
  a8ee4ae6008dad64e8b9e41ed626c253f1accae4c7548a0b2314ce39ef28f377: "objectobject",
  "12b9377cbe7e5c94e8a70d9d23929523d14afa954793130f8a3959c7b849aca8": "00000000-0000-0000-0000-000000000000",
};

const digestsOfNothing: ReadonlySet<string> = new Set(Object.keys(DIGESTS_OF_NOTHING));

/** Whether the text, in any case, stands for "no value". */
export function isPlaceholder(text: string): boolean {
  return PLACEHOLDERS.has(text.toLowerCase());
}

/** Whether the digest, in lower case, is that of nothing. */
export function isDigestOfNothing(digest: string): boolean {
  return digestsOfNothing.has(digest);
}
