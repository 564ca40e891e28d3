/** The shop's page: a banner that asks for consent, a button that buys, and what Snapchat received. */
export function shopPage({ tag, nonce, pixelId }: { tag: string; nonce: string; pixelId: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A shop with the pixel</title>
${tag}
<style nonce="${nonce}">
  body { font: 16px/1.5 system-ui, sans-serif; margin: 1.5rem auto; max-width: 46rem; padding: 0 1rem; color: #1b1b1f; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  .banner { background: #fffbe0; border: 1px solid #d8c200; padding: .75rem 1rem; border-radius: 10px; }
  .product { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; border: 1px solid #ddd; border-radius: 10px; padding: 1rem; }
  .picture { width: 5rem; height: 5rem; border-radius: 10px; background: linear-gradient(135deg, #ffe9b8, #f7b267); }
  .product div:nth-child(2) { flex: 1 1 12rem; }
  button { font: inherit; padding: .4rem 1rem; margin: .2rem .3rem .2rem 0; border-radius: 8px; border: 1px solid #767680; background: #fff; }
  #buy { background: #1b1b1f; border-color: #1b1b1f; color: #fff; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; border-bottom: 1px solid #ddd; padding: .3rem .5rem; white-space: nowrap; }
  td { font-family: ui-monospace, monospace; font-size: .85rem; }
</style>
</head>
<body>
<main>
<h1>A shop with the pixel</h1>
<p class="banner" id="banner">May we tell Snapchat what you look at and buy?
  <button id="allow">Allow</button><button id="refuse">Refuse</button></p>
<div class="product"><div class="picture"></div><div><strong>Beach towel</strong><br>20 GBP</div>
  <button id="buy">Buy for 20 GBP</button></div>
<p id="state" role="status">No answer yet: the pixel is not loaded, and the page view waits.</p>
<h2 id="received">What Snapchat received</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="received">
<table><thead><tr><th scope="col">from</th><th scope="col">event</th><th scope="col">outcome</th><th scope="col">event id</th></tr></thead><tbody id="rows"></tbody></table>
</div>
</main>
<script nonce="${nonce}">
const at = (id) => document.getElementById(id);
const pixel = snapchatPixels["${pixelId}"];
let granted = false;
const answer = (given, words) => () => {
  pixel.consent((granted = given));
  at("banner").hidden = true;
  at("state").textContent = words;
};
at("allow").onclick = answer(true, "Allowed: the pixel is loaded, and what waited is sent.");
at("refuse").onclick = answer(false, "Refused: the pixel is not loaded; what waited is dropped.");

let orders = 0;
at("buy").onclick = () => {
  const order = { price: 20, currency: "GBP", transaction_id: "SO-" + Date.now() + "-" + ++orders };
  const eventId = pixel.track("PURCHASE", order);
  const copy = { eventId, granted, value: 20, currency: "GBP", orderId: order.transaction_id, url: location.href, ...pixel.identifiers() };
  fetch("events", { method: "POST", keepalive: true, body: JSON.stringify(copy) });
};

setInterval(async () => {
  const rows = await (await fetch("received")).json();
  at("rows").replaceChildren(...rows.map((row) => {
    const line = document.createElement("tr");
    for (const key of ["channel", "name", "outcome", "eventId"]) line.insertCell().textContent = row[key];
    return line;
  }));
}, 250);
</script>
</body>
</html>
`;
}
