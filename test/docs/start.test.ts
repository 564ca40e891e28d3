import { describe, expect, it } from "vitest";
import { askWhy } from "../../examples/start/ask-why.ts";
import { firstEvent } from "../../examples/start/first-event.ts";
import { codeOf, programOf, read } from "./shown-code.ts";

const page = read("docs/start.md");
const blocks = page.split(/^```(?:ts|sh)?$/m).map((block) => block.trim());

describe("docs/start.md", () => {
  it("shows the programs that the tests run, to the letter", () => {
    const programs = ["first-event", "ask-why"].map((name) =>
      programOf(read(`examples/start/${name}.ts`)).replaceAll("print(", "console.log("),
    );
    expect(codeOf("docs/start.md", page).map(({ code }) => code.trimEnd())).toEqual(programs);
  });

  it("shows a program whose event is counted", async () => {
    const printed: string[] = [];
    await firstEvent((text) => printed.push(text.replace(/(?<="event_time":)\d+/, "1795169700")));
    expect(printed.at(-1)).toBe("Snapchat counted: 1");
    for (const shown of [page, read("README.md")]) expect(shown).toContain(`\n\`\`\`\n${printed.join("\n")}\n\`\`\`\n`);
  });

  it("shows a program that says why, and what it prints", async () => {
    const printed: string[] = [];
    await askWhy((text) => printed.push(text.trimEnd()));
    expect(printed).toHaveLength(3);
    expect(blocks).toContain(printed.join("\n"));
  });
});
