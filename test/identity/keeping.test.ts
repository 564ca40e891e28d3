import { expect, it } from "vitest";
import { keeping } from "../../src/identity/keeping.ts";

it("keeps the first answers, as many as it may, and asks again for the rest and for what has none", () => {
  const asked: string[] = [];
  const answer = keeping(2, (text) => {
    asked.push(text);
    return text === "none" ? undefined : `${text}!`;
  });
  expect(["none", "a", "b", "c", "none", "a", "b", "c"].map(answer)).toEqual([
    ...[undefined, "a!", "b!", "c!"],
    ...[undefined, "a!", "b!", "c!"],
  ]);
  expect(asked).toEqual(["none", "a", "b", "c", "none", "c"]);
});
