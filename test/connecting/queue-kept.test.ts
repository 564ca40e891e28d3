import { describeKeptQueue } from "./queue-kept/describe.ts";

// Every kill, again and again, on Redis too: test/long/connecting.test.ts.
await describeKeptQueue("sqlite", [{ kill: "between_answer_and_write", login: "renewed" }]);
await describeKeptQueue("postgres", [{ kill: "after_write", login: "over" }]);
