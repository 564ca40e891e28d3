import { describeBugs } from "./life/describe-bugs.ts";

// Those that a life or two find; all of them: test/long/connecting.test.ts.
describeBugs(
  [
    "the caches are not told of a change",
    "a change leaves no audit line",
    "a login that nobody uses any more stays",
    "a deleted destination's queue stays",
    "an offboarded tenant's other destinations go on",
  ],
  { seeds: 10 },
);
