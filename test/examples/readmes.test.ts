import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ROOT, read } from "../docs/shown-code.ts";

const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
const listed = read("examples/README.md");
const examples = Object.keys(scripts).filter((name) => name.startsWith("example:"));

describe("the examples", () => {
  it("are all in the list, each with a command that exists", () => {
    expect(examples.filter((name) => !listed.includes(`\`npm run ${name}\``))).toEqual([]);
    const commands = [...listed.matchAll(/`npm run ([\w:-]+)`/g)].map(([, name = ""]) => name);
    expect(commands.filter((name) => !(name in scripts))).toEqual([]);
  });

  it("have each a page with one command, which runs something that is there", () => {
    const pages = readdirSync(`${ROOT}examples`).filter((name) => existsSync(`${ROOT}examples/${name}/README.md`));
    expect(pages.length).toBe(examples.length);
    for (const page of pages) {
      const [, command = "", name = ""] =
        /^```sh\n(.*npm run ([\w:-]+))\n```$/m.exec(read(`examples/${page}/README.md`)) ?? [];
      expect(examples, `${page}: ${command}`).toContain(name);
      const [program = ""] = /(?:examples|test)\/\S+\.ts/.exec(scripts[name] ?? "") ?? [];
      expect(existsSync(ROOT + program), program).toBe(true);
      expect(program).toContain(page);
    }
  });
});
