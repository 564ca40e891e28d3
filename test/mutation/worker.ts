/** The thread that runs the tests of one mutant after the other: as vitest's own, but it outlives a run. */
import { parentPort } from "node:worker_threads";
import { init, runBaseTests, setupEnvironment } from "vitest/worker";

if (parentPort === null) throw new Error("runs in a thread of test/mutation/pool.ts");
const port = parentPort;

type Listener = (message: unknown) => void;
const listeners: Listener[] = [];
/** What the last run left loaded: libraries stay, the project's own modules are loaded anew for each mutant. */
let loaded: Parameters<typeof runBaseTests>[1]["evaluatedModules"] | undefined;

port.on("message", (message: { readonly type?: string }) => {
  // The first is the runner's; what follows speaks for a run that is over.
  if (message.type === "start") listeners.splice(1);
  for (const listener of [...listeners]) listener(message);
});

init({
  post: (response) => port.postMessage(response),
  on: (listener: Listener) => void listeners.push(listener),
  off: (listener: Listener) => void listeners.splice(listeners.indexOf(listener) >>> 0, 1),
  runTests: async (state, traces) => {
    for (const [path, module] of loaded?.idToModuleMap ?? []) {
      if (path.includes("/node_modules/")) continue;
      module.promise = undefined;
      module.exports = undefined;
      module.evaluated = false;
      module.importers.clear();
    }
    // Modules load unmutated: what a mutant changes there is not asked for.
    const { globalNamespace } = state.providedContext as { globalNamespace?: string };
    const stryker = globalNamespace === undefined ? undefined : Reflect.get(globalThis, globalNamespace);
    if (stryker) stryker.activeMutant = undefined;
    await runBaseTests("run", state, traces);
    loaded = state.evaluatedModules;
  },
  collectTests: (state, traces) => runBaseTests("collect", state, traces),
  setup: setupEnvironment,
});
