import { freePort } from "../needs.ts";
import { openExampleShop } from "./shop.ts";

const shop = await openExampleShop(await freePort(8090));
console.log(`Open ${shop.url} in a browser, answer the banner and buy. Stop with Ctrl+C.`);
process.once("SIGINT", () => shop.close());
