import { describe, expect, it } from "vitest";
import { findings, purchase, refusal, sent } from "./events.ts";

const url = (event_source_url: unknown, options = {}) => sent(purchase({ event_source_url }), options).event_source_url;

describe("event_source_url", () => {
  it.each([
    ["https://shop.example", "https://shop.example"],
    ["https://shop.example/", "https://shop.example/"],
    ["https://shop.example/a/b?x=1&y=2#top", "https://shop.example/a/b"],
    ["https://shop.example/a#top?ScCid=1", "https://shop.example/a"],
    [
      "https://shop.example/?utm_source=snapchat&session=1&ScCid=AbC&gclid=2",
      "https://shop.example/?utm_source=snapchat&ScCid=AbC",
    ],
    ["https://shop.example/?ScCid=AbC#x", "https://shop.example/?ScCid=AbC"],
    ["https://shop.example/?sccid=AbC", "https://shop.example/?ScCid=AbC"],
    ["https://shop.example/?ScCid=&utm_term=", "https://shop.example/"],
    ["HTTPS://Shop.Example/Path", "HTTPS://Shop.Example/Path"],
    ["https://user:secret@shop.example/a", "https://shop.example/a"],
    ["https://shop.example:8443/a", "https://shop.example:8443/a"],
    ["  https://shop.example/a  ", "https://shop.example/a"],
    ["https://münchen.example/straße", "https://münchen.example/straße"],
    ["https://shop.example/?utm_source#a&utm_term=b", "https://shop.example/"],
    ["https://shop.example/?x&utm_term=b&=c&&utm_id=1", "https://shop.example/?utm_term=b&utm_id=1"],
    ["//shop.example/a?x=1", "https://shop.example/a"],
    ["shop.example/a", "https://shop.example/a"],
    ["https://shop.example/@brand/post", "https://shop.example/@brand/post"],
  ])("%s becomes %s", (given, reduced) => {
    expect(url(given)).toBe(reduced);
  });

  it("keeps the parameters a destination lists", () => {
    expect(url("https://shop.example/?sku=9&x=1", { urlParameters: ["sku"] })).toBe("https://shop.example/?sku=9");
  });

  it.each([
    ["https://shop.example/u/jane@example.com/orders", "https://shop.example/u/-/orders"],
    ["https://shop.example/u/jane%40example.com", "https://shop.example/u/-"],
    ["https://shop.example/?utm_content=jane%40example.com&utm_source=s", "https://shop.example/?utm_source=s"],
    ["https://shop.example/?utm_content=jane%2540example.com&ScCid=1", "https://shop.example/?ScCid=1"],
  ])("removes people from %s", (given, reduced) => {
    expect(url(given)).toBe(reduced);
    expect(findings(purchase({ event_source_url: given }))).toEqual(["event_source_url url_personal_data"]);
  });

  it.each([
    "",
    undefined,
    null,
    "nowhere",
    "/thanks",
    "javascript:alert(1)",
    "ftp://x.example/a",
    7,
    "https://",
    "https://jane%40x.example/",
  ])("%s is no address: a web event is refused, unless there is a fallback", (given) => {
    expect(refusal(purchase({ event_source_url: given }))).toBe("event_source_url_missing");
    expect(url(given, { fallbackUrl: "https://shop.example/" })).toBe("https://shop.example/");
  });

  it("is not needed off the web", () => {
    expect(refusal(purchase({ event_source_url: undefined, action_source: "OFFLINE" }))).toBeUndefined();
  });

  it("takes no click id that cannot be one", () => {
    expect(url("https://shop.example/?ScCid=a%22b")).toBe("https://shop.example/");
  });
});
