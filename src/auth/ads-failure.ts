export * from "../http/ads-failure.ts";
