import { EVENT_PARAMETERS, HASHED_KEYS, USER_PARAMETERS } from "./parameters.ts";

/** What the served script is told when it is served. */
export interface ScriptSettings {
  /** Where events go: an origin. */
  collector: string;
  /** Where events of pages on `localhost` go. */
  shadow: string;
  /** At most one event leaves in this time. Milliseconds. */
  throttleMs: number;
  /** The script goes on without its configuration after this time. Milliseconds. */
  configTimeoutMs: number;
  scidForm: "uuid" | "opaque";
  /** The script's own build; a configuration that names another one makes it load itself anew. */
  build: string;
  /** The script's own address. */
  script: string;
}

/** The text of `/scevent.min.js`: plain JavaScript for a page, with its settings written in. */
export function pixelScript(settings: ScriptSettings): string {
  const names = { ...USER_PARAMETERS, ...EVENT_PARAMETERS };
  return `(function(SETTINGS,NAMES,HASHED){"use strict";${BODY}})(${JSON.stringify(settings)},${JSON.stringify(names)},${JSON.stringify(HASHED_KEYS)});\n`;
}

const BODY = String.raw`
var w = window, d = document, VERSION = SETTINGS.build;
var api = w.snaptr;
if (api && api.handleRequest) return; // loaded twice: the first one goes on
if (!api) { api = w.snaptr = function () { api.handleRequest ? api.handleRequest.apply(api, arguments) : api.queue.push(arguments); }; api.queue = []; }

sha256.k = []; sha256.h = [];
for (var prime = 2; sha256.k.length < 64; prime++) {
  for (var divisor = 2; divisor * divisor <= prime && prime % divisor; divisor++);
  if (divisor * divisor <= prime) continue;
  if (sha256.h.length < 8) sha256.h.push(Math.pow(prime, 1 / 2) % 1 * 4294967296 | 0);
  sha256.k.push(Math.pow(prime, 1 / 3) % 1 * 4294967296 | 0);
}

// --- names -------------------------------------------------------------------------------------------------------
function fold(name) { return String(name).toLowerCase().replace(/[_-]/g, ""); }
var WIRE = {};
for (var key in NAMES) { WIRE[fold(NAMES[key])] = key; WIRE[fold(key)] = key; }
WIRE[fold("client_deduplication_id")] = "cdid";

function readParameters(given) {
  var wire = {};
  if (!given || typeof given !== "object") return wire;
  for (var name in given) {
    var value = given[name], key = WIRE[fold(name)];
    if (value === undefined || value === null) continue;
    if (name === "sync_modes") continue;
    if (!key) { report("unknown_parameter", name); continue; }
    wire[key] = Array.isArray(value) ? value.join(",") : value;
  }
  if (wire.u_em !== undefined) {
    var mail = String(wire.u_em).trim().toLowerCase();
    delete wire.u_em;
    if (isDigest(mail)) wire.u_hem = mail;
    else if (/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(mail)) { wire.u_hem = sha256(mail); wire.u_hed = sha256(mail.split("@")[1]); }
    else wire.u_hem = "FFF" + sha256(mail);
  }
  if (wire.u_pn !== undefined) { wire.u_hpn = sha256(String(wire.u_pn).replace(/\W/g, "")); delete wire.u_pn; }
  if (wire.u_mai !== undefined) { wire.u_hmai = sha256(String(wire.u_mai).trim().toLowerCase()); delete wire.u_mai; }
  for (var i = 0; i < HASHED.length; i++) {
    var hashed = HASHED[i];
    if (wire[hashed] === undefined || String(wire[hashed]).slice(0, 3) === "FFF") continue;
    var text = String(wire[hashed]).trim().toLowerCase();
    wire[hashed] = isDigest(text) ? text : sha256(text);
  }
  return wire;
}
function isDigest(text) { return /^[0-9a-f]{64}$/.test(text); }

// --- identity of the browser -------------------------------------------------------------------------------------
var THIRTEEN_MONTHS = 34186698;
function uuid() {
  if (w.crypto && w.crypto.randomUUID) return w.crypto.randomUUID();
  return "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".replace(/[xy]/g, function (c) {
    var r = Math.random() * 16 | 0; return (c === "x" ? r : (r & 3) | 8).toString(16);
  });
}
function getCookie(name) {
  try { var m = ("; " + d.cookie).split("; " + name + "="); return m.length > 1 ? decodeURIComponent(m.pop().split(";")[0]) : ""; }
  catch (e) { return ""; }
}
function setCookie(name, value, seconds, domain) {
  try { d.cookie = name + "=" + encodeURIComponent(value) + "; max-age=" + seconds + "; path=/; SameSite=Lax" + (domain ? "; domain=" + domain : ""); }
  catch (e) {}
}
function widestDomain() {
  var labels = w.location.hostname.split(".");
  if (labels.length < 2 || /^[\d.]+$/.test(w.location.hostname)) return "";
  for (var i = 2; i <= labels.length; i++) {
    var domain = "." + labels.slice(-i).join("."), probe = "_schn" + i;
    setCookie(probe, "1", 180, domain);
    if (getCookie(probe)) { setCookie(probe, "", 0, domain); return domain; }
  }
  return "";
}
function stored(area, name, value) {
  try { var s = w[area]; if (value !== undefined) s.setItem(name, value); return s.getItem(name) || ""; } catch (e) { return ""; }
}
var ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
function toOpaque(id) { // 128 bits in 22 characters, then ten of chance
  var bits = "", out = "";
  id.replace(/-/g, "").split("").forEach(function (h) { bits += ("000" + parseInt(h, 16).toString(2)).slice(-4); });
  bits += "0000";
  for (var i = 0; i < 132; i += 6) out += ALPHABET[parseInt(bits.slice(i, i + 6), 2)];
  for (var j = 0; j < 10; j++) out += ALPHABET[Math.random() * 64 | 0];
  return out;
}
function fromOpaque(text) {
  if (text.length < 32 || text.indexOf("-") === 8) return text;
  var bits = "", hex = "";
  for (var i = 0; i < 22; i++) bits += ("00000" + ALPHABET.indexOf(text[i]).toString(2)).slice(-6);
  for (var j = 0; j < 128; j += 4) hex += parseInt(bits.slice(j, j + 4), 2).toString(16);
  return hex.slice(0, 8) + "-" + hex.slice(8, 12) + "-" + hex.slice(12, 16) + "-" + hex.slice(16, 20) + "-" + hex.slice(20);
}
var cookieDomain = widestDomain();
var scid = getCookie("_scid");
if (!scid) {
  scid = SETTINGS.scidForm === "opaque" ? toOpaque(uuid()) : uuid();
  setCookie("_scid", scid, THIRTEEN_MONTHS, cookieDomain);
}
setCookie("_scid_r", scid, THIRTEEN_MONTHS, cookieDomain);
var localId = stored("localStorage", "u_sclid") || stored("localStorage", "u_sclid", uuid());
var sessionId = stored("sessionStorage", "u_scsid") || stored("sessionStorage", "u_scsid", uuid());
stored("localStorage", "u_sclid_r", localId);
stored("sessionStorage", "u_scsid_r", sessionId);

function pageUrl() {
  try { return w.top === w ? w.location.href : w.top.location.href; } catch (e) { return d.referrer || w.location.href; }
}
function clickId() {
  var search = pageUrl();
  for (var i = 0; i < 3; i++) {
    var m = /[?&#]ScCid=([0-9a-fA-F-]{36})/.exec(search);
    if (m) return m[1];
    try { search = decodeURIComponent(search); } catch (e) { return ""; }
  }
  return "";
}
var landed = clickId();
if (landed) {
  setCookie("_scsrid", "2|" + landed, THIRTEEN_MONTHS, cookieDomain);
  setCookie("_scsrid_r", "2|" + landed, THIRTEEN_MONTHS, cookieDomain);
  stored("localStorage", "_scsrid", "2|" + landed);
}
var midnight = new Date(); midnight.setHours(0, 0, 0, 0);
setCookie("_sctr", "1|" + midnight.getTime(), THIRTEEN_MONTHS, cookieDomain);

// --- sending -----------------------------------------------------------------------------------------------------
var isShadow = w.location.hostname === "localhost" || stored("localStorage", "_scDev") !== "";
var COLLECTOR = isShadow ? SETTINGS.shadow : SETTINGS.collector;
function encode(fields) {
  var out = [];
  for (var key in fields) out.push(encodeURIComponent(key) + "=" + encodeURIComponent(String(fields[key])));
  return out.join("&");
}
function post(path, fields) {
  var body = encode(fields), url = COLLECTOR + path;
  try {
    if (w.navigator.sendBeacon && w.navigator.sendBeacon(url, new Blob([body], { type: "application/x-www-form-urlencoded" }))) return;
  } catch (e) {}
  try {
    var xhr = new XMLHttpRequest();
    xhr.open("POST", url, true);
    xhr.withCredentials = true;
    xhr.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    xhr.send(body);
  } catch (e) {}
}
function report(code, what) { post("/r", { er: code, n: what }); }

var pixels = {}, order = [], waiting = [], calls = [], sending = false, lastSent = -1e9;

function ready(pixel) { return pixel.config !== undefined; }
function pump() {
  if (sending) return;
  for (var i = 0; i < waiting.length; i++) {
    if (!ready(waiting[i].pixel)) continue;
    var event = waiting.splice(i, 1)[0], pause = lastSent + SETTINGS.throttleMs - Date.now();
    sending = true;
    var leave = function () { sending = false; lastSent = Date.now(); send(event); pump(); };
    pause > 0 ? setTimeout(leave, pause) : leave();
    return;
  }
}
function send(event) {
  // Built late: the identity and the page are those of now, not of the call.
  var fields = {}, part, key, parts = [event.pixel.sticky, event.data];
  for (part = 0; part < parts.length; part++) for (key in parts[part]) fields[key] = parts[part][key];
  var srid = getCookie("_scsrid") || stored("localStorage", "_scsrid");
  var always = {
    pid: event.pixel.id, ev: event.name, pl: pageUrl(), rf: d.referrer, ts: Date.now(), trackId: uuid(), v: VERSION,
    u_c1: fromOpaque(scid), u_sclid: localId, u_scsid: sessionId,
    d_sw: (w.screen || {}).width || 0, d_sh: (w.screen || {}).height || 0
  };
  if (srid) { always.s_r_id = srid.split("|")[1] || ""; always.s_r_ids = srid.split("|")[0]; }
  for (key in always) fields[key] = always[key];
  post("/p", fields);
}

// --- configuration -----------------------------------------------------------------------------------------------
var NO_CONFIG = { am: false, md: false };
function topLevelDomain() {
  return /^[\d.]+$/.test(w.location.hostname) ? w.location.hostname : w.location.hostname.split(".").slice(-2).join(".");
}
function configure(pixel, config) {
  if (ready(pixel)) return;
  pixel.config = config;
  if (config.am) watchForms();
  if (config.md) collectMicroData(pixel);
  pump();
}
function fetchConfig(pixel) {
  var base = COLLECTOR + "/config/" + topLevelDomain() + "/" + pixel.id, script = d.createElement("script");
  setTimeout(function () { configure(pixel, NO_CONFIG); }, SETTINGS.configTimeoutMs);
  script.async = true;
  script.src = base + ".js?v=" + VERSION;
  script.onerror = function () {
    try {
      var xhr = new XMLHttpRequest();
      xhr.open("GET", base + ".json?v=" + VERSION, true);
      xhr.onload = function () { if (xhr.status === 200) configure(pixel, JSON.parse(xhr.responseText)); };
      xhr.send();
    } catch (e) {}
  };
  (d.head || d.body || d.documentElement).appendChild(script);
}
api.setConfig = function (id, config) {
  if (!pixels[id]) return;
  if (config.build && config.build !== VERSION && !getCookie("_screload")) { reload(config.build); return; }
  configure(pixels[id], config);
};
// A newer build than this one: it is loaded over this one and gets every call so far once more.
function reload(build) {
  setCookie("_screload", build, 3600, cookieDomain);
  var newer = w.snaptr = function () { newer.handleRequest ? newer.handleRequest.apply(newer, arguments) : newer.queue.push(arguments); };
  newer.queue = calls.slice();
  api.handleRequest = function () { newer.apply(w, arguments); };
  waiting.length = 0;
  var script = d.createElement("script");
  script.async = true;
  script.src = SETTINGS.script + "?build=" + encodeURIComponent(build);
  (d.head || d.body || d.documentElement).appendChild(script);
}

// --- what no page can switch off ---------------------------------------------------------------------------------
var watching = false;
function watchForms() {
  if (watching) return;
  watching = true;
  d.addEventListener("submit", function (event) {
    var inputs = event.target && event.target.querySelectorAll ? event.target.querySelectorAll("input") : [];
    for (var i = 0; i < inputs.length; i++) {
      var input = inputs[i], value = String(input.value || "").trim().toLowerCase();
      if (input.type === "password" || input.type === "hidden") continue;
      var found = { pids: order.join(","), u_c1: fromOpaque(scid) };
      if (/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(value)) found.hem = sha256(value);
      else if (/^\+?[\d\s().-]{7,20}$/.test(value) && value.replace(/\D/g, "").length >= 7) found.hpn = sha256(value.replace(/\W/g, ""));
      else continue;
      post("/collector/prep_mapping", found);
    }
  }, true);
}
function collectMicroData(pixel) {
  var jsonLd = [], nodes = d.querySelectorAll ? d.querySelectorAll('script[type="application/ld+json"]') : [];
  for (var i = 0; i < nodes.length; i++) jsonLd.push(nodes[i].textContent);
  var layer = "";
  try { layer = JSON.stringify(w.dataLayer || []); } catch (e) {}
  if (jsonLd.length > 0 || layer.length > 2) post("/hm", { pid: pixel.id, ld: jsonLd.join("\n"), dl: layer, pl: pageUrl() });
}

// --- commands ----------------------------------------------------------------------------------------------------
function pixelId(value) {
  var id = String(value).trim().toLowerCase();
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id) ? id : "";
}
function init(rawId, given) {
  var id = pixelId(rawId);
  if (!id) { report("bad_pixel_id", String(rawId)); return; }
  var pixel = pixels[id];
  if (!pixel) {
    pixel = pixels[id] = { id: id, sticky: {}, config: undefined };
    order.push(id);
    fetchConfig(pixel);
  }
  var data = readParameters(given);
  for (var key in data) pixel.sticky[key] = data[key]; // merged, never cleared
}
function track(a, b, c) {
  var one = pixelId(a), name = String(one ? b : a).trim().toUpperCase(), data = readParameters(one ? c : b);
  for (var i = 0; i < order.length; i++) {
    if (one && order[i] !== one) continue;
    waiting.push({ pixel: pixels[order[i]], name: name, data: data });
  }
  pump();
}
function handle(call) {
  calls.push(call);
  try {
    if (call[0] === "init") init(call[1], call[2]);
    else if (call[0] === "track") track(call[1], call[2], call[3]);
  } catch (e) {}
}
function start() {
  if (!d.body) { setTimeout(start, 20); return; }
  api.handleRequest = function () { handle(arguments); };
  var queue = api.queue || [];
  while (queue.length > 0) handle(queue.shift());
  queue.push = function (call) { handle(call); return 0; };
}
if (d.readyState === "loading") d.addEventListener("DOMContentLoaded", start); else start();

// --- SHA-256, synchronous, as the real script carries its own ------------------------------------------------------
function sha256(text) {
  var K = sha256.k, H = sha256.h.slice(), bytes = unescape(encodeURIComponent(text)), n = bytes.length, i, j;
  var words = [], total = ((n + 8 >> 6) + 1) * 16;
  for (i = 0; i < total; i++) words[i] = 0;
  for (i = 0; i < n; i++) words[i >> 2] |= bytes.charCodeAt(i) << (24 - i % 4 * 8);
  words[n >> 2] |= 128 << (24 - n % 4 * 8);
  words[total - 1] = n * 8;
  for (i = 0; i < total; i += 16) {
    var W = words.slice(i, i + 16), s = H.slice();
    for (j = 0; j < 64; j++) {
      if (j >= 16) {
        var x = W[j - 15], y = W[j - 2];
        W[j] = W[j - 16] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) + W[j - 7] + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10) | 0;
      }
      var a = s[0], e = s[4];
      var t1 = s[7] + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & s[5] ^ ~e & s[6]) + K[j] + W[j] | 0;
      var t2 = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & s[1] ^ a & s[2] ^ s[1] & s[2]) | 0;
      s = [t1 + t2 | 0, a, s[1], s[2], s[3] + t1 | 0, e, s[5], s[6]];
    }
    for (j = 0; j < 8; j++) H[j] = H[j] + s[j] | 0;
  }
  return H.map(function (v) { return ("0000000" + (v >>> 0).toString(16)).slice(-8); }).join("");
}
`;
