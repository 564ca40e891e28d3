import { describeLives } from "./life/describe-lives.ts";

// Hundreds: test/long/connecting.test.ts.
describeLives({ memory: 1, sockets: 1, sqlite: 1 });
