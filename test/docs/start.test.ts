import { describe, expect, it } from "vitest";
import { firstEvent } from "../../examples/start/first-event.ts";
import { codeOf, read } from "./shown-code.ts";

describe("docs/start.md", () => {
  it("shows the program that the tests run, to the letter", () => {
    const region =
      /\/\/ #region start\n(.*?)\n\s*\/\/ #endregion/s.exec(read("examples/start/first-event.ts"))?.[1] ?? "";
    const [shown] = codeOf("docs/start.md", read("docs/start.md"));
    const printed = region.replaceAll(/^ {2}/gm, "").replaceAll("print(", "console.log(");
    expect(shown?.code.trimEnd()).toBe(printed);
  });

  it("shows a program whose event is counted", async () => {
    const printed: string[] = [];
    await firstEvent((text) => printed.push(text));
    expect(printed).toEqual(["The receipt says: queued", "Snapchat counted: 1"]);
    const page = read("docs/start.md");
    for (const line of printed) expect(page).toContain(line);
  });
});
