/** The shop's page: a banner that asks for consent, a button that buys, and what Snapchat received. */
export function shopPage({ tag, nonce, pixelId }: { tag: string; nonce: string; pixelId: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>A shop with the pixel</title>
${tag}
<style nonce="${nonce}">
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem; }
  .banner { background: #fffbe0; border: 1px solid #d8c200; padding: .75rem 1rem; border-radius: 6px; }
  button { font: inherit; padding: .3rem .9rem; margin-right: .5rem; }
  table { border-collapse: collapse; width: 100%; margin-top: 1rem; }
  th, td { text-align: left; border-bottom: 1px solid #ddd; padding: .3rem .5rem; }
  td { font-family: ui-monospace, monospace; font-size: .85rem; }
</style>
</head>
<body>
<h1>A shop with the pixel</h1>
<p class="banner" id="banner">May we tell Snapchat what you look at and buy?
  <button id="allow">Allow</button><button id="refuse">Refuse</button></p>
<p><button id="buy">Buy for 20 GBP</button> <span id="state">No answer yet: the pixel is not loaded, and the page view waits.</span></p>
<h2>What Snapchat received</h2>
<table><thead><tr><th>from</th><th>event</th><th>event id</th><th>outcome</th></tr></thead><tbody id="rows"></tbody></table>
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
  const order = { price: 20, currency: "GBP", transaction_id: "SO-" + ++orders };
  const eventId = pixel.track("PURCHASE", order);
  const copy = { eventId, granted, value: 20, currency: "GBP", orderId: order.transaction_id, url: location.href, ...pixel.identifiers() };
  fetch("/events", { method: "POST", keepalive: true, body: JSON.stringify(copy) });
};

setInterval(async () => {
  const rows = await (await fetch("/received")).json();
  at("rows").replaceChildren(...rows.map((row) => {
    const line = document.createElement("tr");
    for (const key of ["channel", "name", "eventId", "outcome"]) line.insertCell().textContent = row[key];
    return line;
  }));
}, 250);
</script>
</body>
</html>
`;
}
