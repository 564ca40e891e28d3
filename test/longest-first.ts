import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest, longest first: begun last, one of these would run alone while the other workers are done. */
const LONGEST = [
  "audiences/checker",
  "delivery/checker-memory",
  "delivery/checker-postgres",
  "delivery/checker-redis",
  "auth/refresh-processes",
  "delivery/checker-sqlite",
  "audiences/mirror-processes",
  "connecting/life-bugs",
  "delivery/checker-bugs",
  "storage/postgres",
  "cli/doctor",
  "examples/queue-jetstream",
  "connecting/queue-kept",
  "snapchat/segment-refusals",
  "connecting/walk",
  "examples/host-cdp",
  "examples/queue-bullmq",
  "delivery/processes-postgres",
  "storage/sqlite",
  "storage/from-records",
  "storage/redis",
].map((name) => `/test/${name}.test.ts`);

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((path) => moduleId.endsWith(path));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
