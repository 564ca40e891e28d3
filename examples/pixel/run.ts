import { openExampleShop } from "./shop.ts";

const shop = await openExampleShop(Number(process.env.PORT ?? 8090));
console.log(`Open ${shop.url} in a browser, answer the banner and buy. Stop with Ctrl+C.`);
process.once("SIGINT", () => shop.close());
