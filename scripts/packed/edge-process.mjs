import { exercise } from "./edge.mjs";

console.log(JSON.stringify(await exercise(JSON.parse(process.argv.at(-1)))));
