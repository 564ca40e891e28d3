/** What the demo prints: plain sentences, a progress bar on a terminal, and a table. Silent in `--json`. */
export interface Screen {
  step(number: number, title: string): void;
  say(text: string): void;
  /** Redraws one line on a terminal; prints every quarter elsewhere. */
  progress(label: string, done: number, total: number): void;
  table(title: string, rows: readonly (readonly [string, string | number])[]): void;
}

export function createScreen(options: { quiet: boolean; terminal: boolean }): Screen {
  const print = (text: string) => {
    if (!options.quiet) process.stdout.write(`${text}\n`);
  };
  let drawn = false;
  let lastQuarter = -1;
  const endLine = () => {
    if (drawn) process.stdout.write("\n");
    drawn = false;
  };

  return {
    step(number, title) {
      endLine();
      print(`\n${number}. ${title}`);
    },
    say(text) {
      endLine();
      print(`   ${text}`);
    },
    progress(label, done, total) {
      if (options.quiet) return;
      const share = total === 0 ? 1 : Math.min(1, done / total);
      if (options.terminal) {
        const bar = "█".repeat(Math.round(share * 30)).padEnd(30, "░");
        process.stdout.write(`\r   ${label} ${bar} ${done.toLocaleString("en")}/${total.toLocaleString("en")}`);
        drawn = share < 1;
        if (!drawn) process.stdout.write("\n");
        return;
      }
      const quarter = Math.floor(share * 4);
      if (quarter !== lastQuarter) print(`   ${label} ${done.toLocaleString("en")}/${total.toLocaleString("en")}`);
      lastQuarter = quarter === 4 ? -1 : quarter;
    },
    table(title, rows) {
      endLine();
      print(`\n   ${title}`);
      const width = Math.max(...rows.map(([name]) => name.length));
      for (const [name, value] of rows)
        print(`     ${name.padEnd(width)}  ${typeof value === "number" ? value.toLocaleString("en") : value}`);
    },
  };
}
