import { firstEvent } from "./first-event.ts";

await firstEvent((text) => console.log(text));
