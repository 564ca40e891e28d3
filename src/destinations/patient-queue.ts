import type { Clock } from "../clock.ts";
import { patiently } from "../storage/patient.ts";
import type { QueueControl } from "./interfaces.ts";

/** The queue's commands, all of them safe to repeat. */
export function patientQueue(queue: QueueControl, clock: Clock): QueueControl {
  return {
    open: (groups) => patiently(clock, () => queue.open(groups)),
    pause: (target, reason) => patiently(clock, () => queue.pause(target, reason)),
    resume: (target, reason) => patiently(clock, () => queue.resume(target, reason)),
    bury: (target, reason, o) => patiently(clock, () => queue.bury(target, reason, o)),
    depth: (ids) => patiently(clock, () => queue.depth(ids)),
    purge: (id, o) => patiently(clock, () => queue.purge(id, o)),
  };
}
