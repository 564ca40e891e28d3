import { describe, expect, it } from "vitest";
import { againstTheSimulator } from "../../examples/simulator.ts";
import { codeOf, programOf, read } from "./shown-code.ts";

describe("docs/simulator.md", () => {
  it("shows the program that the tests run, to the letter", () => {
    const program = programOf(read("examples/simulator.ts"));
    const shown = codeOf("docs/simulator.md", read("docs/simulator.md")).map(({ code }) => code.trimEnd());
    const extra = shown.filter((code) => !program.includes(code));
    expect(extra).toEqual([expect.stringContaining("const small = await createSimulator({")]);
    expect(shown.filter((code) => !extra.includes(code)).join("\n\n")).toBe(program);
  });

  it("shows a program whose own assertions hold", async () => {
    await againstTheSimulator();
  });
});
