import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pages, ROOT, read } from "../docs/shown-code.ts";

const { scripts, version } = JSON.parse(read("package.json")) as { scripts: Record<string, string>; version: string };
const workflows = readdirSync(`${ROOT}.github/workflows`).map((name) => `.github/workflows/${name}`);

describe("what runs by itself", () => {
  it("names only npm scripts that exist, as the pages do", () => {
    const unknown = [...workflows, ".ci/run", "package.json", ...pages()].flatMap((path) =>
      [...read(path).matchAll(/npm run (?:--silent |-s )*([a-z][\w:-]*[\w-])/g)]
        .filter(([, name = ""]) => !(name in scripts))
        .map(([command]) => `${path}: ${command}`),
    );
    expect(unknown).toEqual([]);
  });

  it("belongs to nobody in particular: no owner, no stored token", () => {
    for (const path of workflows) {
      expect(read(path), path).not.toMatch(/github\.com\/[a-z]|NPM_TOKEN|NODE_AUTH_TOKEN|repository_owner ==/i);
    }
  });

  it("publishes what passed the gate, with provenance and a bill of materials", () => {
    const release = read(".github/workflows/release.yml");
    expect(release).toMatch(/needs: gate/);
    expect(release).toMatch(/uses: \.\/\.github\/workflows\/ci\.yml/);
    expect(release).toMatch(/npm publish --provenance/);
    expect(release).toMatch(/npm run sbom/);
    expect(read(".github/workflows/ci.yml")).toMatch(/- run: \.ci\/run$/m);
    expect(read(".ci/run")).toMatch(/npm run check:release$/m);
  });

  it("takes the notes of one version out of the changelog", () => {
    const awk = /awk -v version="[^"]*" '([^']*)'/.exec(read(".github/workflows/release.yml"))?.[1] ?? "";
    const changelog = "# ours\n\n## 1.1.0\n\n### Minor\n\n- new\n\n## 1.0.0\n\n- old\n";
    const notes = execFileSync("awk", ["-v", "version=1.1.0", awk], { input: changelog, encoding: "utf8" });
    expect(notes.trim()).toBe("### Minor\n\n- new");
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
