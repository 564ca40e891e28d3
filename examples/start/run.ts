import { askWhy } from "./ask-why.ts";
import { firstEvent } from "./first-event.ts";

const print = (text: string) => console.log(text);
if (process.argv[2] === "why") await askWhy(print);
else await firstEvent(print);
