import { createHash } from "node:crypto";

/** What the page after a sign-in says. */
export interface PageText {
  /** `<html lang>`. Default `en`. */
  lang?: string;
  title: string;
  /** One or two sentences; plain text. */
  message: string;
  /** What to do now; plain text. */
  advice?: string;
  link?: { href: string; text: string };
}

const STYLE =
  "body{font:1rem/1.5 system-ui,sans-serif;margin:0;display:grid;place-items:center;min-height:100vh;background:#f4f4f4;color:#1a1a1a}" +
  "main{background:#fff;padding:2rem;border-radius:.75rem;max-width:28rem;margin:1rem}h1{font-size:1.4rem;margin:0 0 .75rem}" +
  "code{color:#555}a{color:#0b57d0}@media(prefers-color-scheme:dark){body{background:#111;color:#eee}main{background:#222}code{color:#bbb}a{color:#a8c7fa}}";
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** A small page without scripts and without anything from elsewhere. `code` is for whoever is asked for help. */
export function pageResponse(status: number, text: PageText, o: { code?: string; alert: boolean }): Response {
  const { lang = "en", title, message, advice, link } = text;
  const body = `<!doctype html>
<html lang="${escapeHtml(lang)}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main${o.alert ? ' role="alert"' : ""}><h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(message)}</p>${advice ? `\n<p>${escapeHtml(advice)}</p>` : ""}${
    link ? `\n<p><a href="${escapeHtml(link.href)}">${escapeHtml(link.text)}</a></p>` : ""
  }${o.code ? `\n<p><code>${escapeHtml(o.code)}</code></p>` : ""}
</main></body></html>`;
  return new Response(body, {
    status,
    headers: {
      ...PRIVATE,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "x-content-type-options": "nosniff",
    },
  });
}

/** The address holds a code or a state: nobody keeps it, nobody is told of it. */
export const PRIVATE: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
};

export function redirectResponse(location: string): Response {
  return new Response(null, { status: 303, headers: { ...PRIVATE, location } });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
