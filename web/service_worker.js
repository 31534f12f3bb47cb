// @ts-check
// Keeps the page itself (not the large downloads: lib/store.js does that), so that it opens without
// a network, and gives it the two headers of cross-origin isolation, which threads need and a plain
// static host does not send. Every file comes from one version: a new one is fetched whole, checked
// by hash and waits until the page asks for it. What only the graphics card needs is not fetched here:
// its wasm and scripts lie among the downloads of those who use it.
//
// site_files.js is written by `ouaf publish`. That it changes is how the browser sees a new version.

/** @typedef {{path: string, sha256: string}} SiteFile */
/** @typedef {{version: string, files: SiteFile[], others: SiteFile[]}} SiteFiles */
const worker = /** @type {any} */ (self); // the types of a page, not of a service worker, are at hand here
worker.importScripts("site_files.js");
/** @type {SiteFiles} */
const site = worker.siteFiles;
/** @type {string} the site's folder; several sites may share an origin */
const root = worker.registration.scope;
const prefix = `ouaf page ${root} `;
const cacheName = prefix + site.version;
const isolate = new URL(worker.location.href).searchParams.has("isolate");

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(fetchAll()));
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(dropOlder()));
worker.addEventListener("message", (/** @type {MessageEvent} */ event) => {
  if (event.data === "take over") worker.skipWaiting();
});
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const path = pathOf(event.request);
  const script = site.others.find((file) => file.path === path && file.path.endsWith(".mjs"));
  if (script) event.respondWith(answerByDownload(script, event.request));
  else if (site.files.some((file) => file.path === path)) event.respondWith(answer(path, event.request));
});

async function fetchAll() {
  const cache = await caches.open(cacheName);
  try {
    await Promise.all(site.files.map(async ({ path, sha256 }) => {
      const response = await fetch(new URL(path, root), { cache: "no-cache" });
      const bytes = await response.arrayBuffer();
      if (!response.ok || (await hashOf(bytes)) !== sha256) throw new Error(`${path} is not the file of version ${site.version}`);
      await cache.put(new URL(path, root), isolated(bytes, response.headers.get("Content-Type") ?? ""));
    }));
  } catch (error) {
    await caches.delete(cacheName); // half a version is none
    throw error;
  }
}

async function dropOlder() {
  for (const name of await caches.keys()) {
    if (name.startsWith(prefix) && name !== cacheName) await caches.delete(name);
  }
}

/**
 * The path inside the site of what is asked for; empty for what lies elsewhere.
 * @param {Request} request
 */
function pathOf(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" || !url.href.startsWith(root)) return "";
  return url.origin + url.pathname === root ? "index.html" : (url.origin + url.pathname).slice(root.length);
}

/**
 * @param {string} path
 * @param {Request} request
 */
async function answer(path, request) {
  const cache = await caches.open(cacheName);
  return (await cache.match(new URL(path, root))) ?? fetch(request);
}

/**
 * @param {SiteFile} script
 * @param {Request} request
 */
async function answerByDownload({ sha256 }, request) {
  const found = await caches.match(new URL(`kept/${sha256}`, root)); // where lib/store.js puts it
  return found ? isolated(await found.arrayBuffer(), "text/javascript") : fetch(request);
}

/**
 * @param {ArrayBuffer} bytes
 * @param {string} type
 */
function isolated(bytes, type) {
  const headers = new Headers({ "Content-Type": type });
  if (isolate) {
    headers.set("Cross-Origin-Opener-Policy", "same-origin");
    headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  }
  return new Response(bytes, { headers });
}

/** @param {ArrayBuffer} bytes */
async function hashOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
