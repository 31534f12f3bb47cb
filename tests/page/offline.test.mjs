// @ts-check
// The second visit: without a network, with threads on a host that sends no headers for them, and
// of a site that has changed meanwhile; and what is stored on the way, kept and cleared.

import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { alertText, classify, open, waitForState } from "./browser.mjs";
import { site } from "./environment.mjs";
import { browser, hosting, photo } from "./fixture.mjs";

/**
 * Until everything is stored that will be.
 * @param {import("playwright-core").Page} page
 */
async function stored(page) {
  await waitForState(page, "ready", "error");
  await page.waitForFunction(() => /kept on this device/.test(document.querySelector("#stored")?.textContent ?? ""));
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
}

/** @param {import("playwright-core").Page} page */
const cachesOf = (page) => page.evaluate(() => caches.keys());

test("after one visit the page works without a network, isolated, and fetches no model again", async () => {
  const host = await hosting(site, { under: "/dogs/" });
  const { page, complaints, close } = await open(browser, host.address);
  await stored(page);
  assert.equal(await page.evaluate(() => crossOriginIsolated), false, "this host sends no headers");
  const first = await classify(page, photo);

  host.requests.length = 0;
  await page.reload();
  await stored(page);
  assert.ok(await page.evaluate(() => crossOriginIsolated), "the service worker isolates the page");
  assert.deepEqual(host.requests.filter((path) => path.endsWith(".gz")), []);

  host.close(); // stronger than a browser's own offline switch, which spares a service worker's requests
  await page.reload();
  await waitForState(page, "ready", "error");
  const offline = await classify(page, photo);
  assert.deepEqual(offline.map(({ id }) => id), first.map(({ id }) => id));
  for (const [index, { probability }] of offline.entries()) {
    assert.ok(Math.abs(probability - first[index].probability) < 0.0005); // threads add in another order
  }
  assert.deepEqual(complaints, []);
  await close();
});

test("freeing the space leaves nothing, and the page goes on working", async () => {
  const host = await hosting(site);
  const { page, close } = await open(browser, host.address);
  await stored(page);
  assert.equal((await cachesOf(page)).length, 2);
  await page.getByRole("button", { name: "Free the space" }).click();
  await page.waitForFunction(() => /free again/.test(document.querySelector("#stored")?.textContent ?? ""));
  assert.deepEqual(await cachesOf(page), []);
  assert.equal(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length), 0);
  assert.equal((await classify(page, photo)).length, 3);
  await close();
});

test("what was damaged on the device is noticed by its hash and fetched again", async () => {
  const host = await hosting(site);
  const { page, close } = await open(browser, host.address);
  await stored(page);
  const damaged = await page.evaluate(async () => {
    const name = (await caches.keys()).find((each) => each.startsWith("ouaf downloads")) ?? "";
    const cache = await caches.open(name);
    const [request] = await cache.keys();
    const bytes = new Uint8Array(await (await cache.match(request))?.arrayBuffer() ?? new ArrayBuffer(0));
    bytes[bytes.length >> 1] ^= 1;
    await cache.put(request, new Response(bytes));
    return request.url;
  });
  await page.reload();
  await stored(page);
  const hash = await page.evaluate(async (address) => {
    const response = await caches.match(address);
    const digest = await crypto.subtle.digest("SHA-256", (await response?.arrayBuffer()) ?? new ArrayBuffer(0));
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }, damaged);
  assert.equal(hash, damaged.slice(damaged.lastIndexOf("/") + 1), "a whole one lies in its place");
  assert.equal((await classify(page, photo)).length, 3);
  await close();
});

test("a download that arrives changed, but whole, is fetched again by itself", async () => {
  const host = await hosting(site);
  let times = 0;
  // Uncompressed, as a host that inflates sends it: nothing but the hash can tell.
  const { gunzipSync } = await import("node:zlib");
  host.faults.set("model/model.onnx.gz", (body) => {
    const bytes = gunzipSync(body);
    if (times++ === 0) bytes[bytes.length >> 1] ^= 1;
    return { body: bytes };
  });
  const { page, close } = await open(browser, host.address);
  await waitForState(page, "ready", "error");
  assert.equal(await alertText(page), "");
  assert.equal(times, 2);
  await close();
});

test("a new version is offered, waits, and is taken on demand", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ouaf-site-"));
  await cp(site, folder, { recursive: true });
  const host = await hosting(folder);
  const { page, close } = await open(browser, host.address);
  await stored(page);

  const html = (await readFile(join(folder, "index.html"), "utf8")).replace("Show me a dog", "Show me another dog");
  await writeFile(join(folder, "index.html"), html);
  const list = await readFile(join(folder, "site_files.js"), "utf8");
  const files = JSON.parse(list.slice(list.indexOf("{"), list.lastIndexOf(";")));
  files.version = "the next one";
  for (const file of files.files) if (file.path === "index.html") file.sha256 = createHash("sha256").update(html).digest("hex");
  await writeFile(join(folder, "site_files.js"), `self.siteFiles = ${JSON.stringify(files)};\n`);

  await page.reload();
  await stored(page);
  assert.equal(await page.locator(".when-ready h2").innerText(), "Show me a dog", "nothing changes under the visitor's hands");
  await page.getByRole("button", { name: "Use it" }).click();
  await page.waitForFunction(() => document.querySelector(".when-ready h2")?.textContent === "Show me another dog");
  await stored(page);
  assert.ok((await cachesOf(page)).some((name) => name.endsWith("the next one")));
  assert.equal((await cachesOf(page)).length, 2, "the older version is gone");
  await close();
  await rm(folder, { recursive: true });
});

for (const [what, prepare, message] of /** @type {const} */ ([
  ["no place to store", () => Object.defineProperty(self, "caches", { get() { throw new DOMException("", "SecurityError"); } }), /keeps nothing/],
  ["a full disk", () => { Cache.prototype.put = () => Promise.reject(new DOMException("", "QuotaExceededError")); }, /no space left/],
])) {
  test(`${what}: said, and the page works`, async () => {
    const host = await hosting(site);
    // The same fault inside the worker, where the downloads are stored.
    host.faults.set("worker.js", (body) => ({ body: `(${prepare})();\n${body}`, type: "text/javascript" }));
    const { page, close } = await open(browser, host.address);
    await waitForState(page, "ready", "error");
    await page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector("#stored")?.textContent ?? ""), message.source);
    assert.equal((await classify(page, photo)).length, 3);
    assert.ok(await page.locator("#clear").isHidden());
    await close();
  });
}

for (const [what, prepare, message] of /** @type {const} */ ([
  ["WebAssembly switched off", () => { Reflect.deleteProperty(self, "WebAssembly"); }, /WebAssembly is switched off/],
  ["no SIMD", () => { WebAssembly.validate = () => false; }, /too old.+SIMD/],
])) {
  test(`${what}: a message that says so`, async () => {
    const host = await hosting(site);
    host.faults.set("worker.js", (body) => ({ body: `(${prepare})();\n${body}`, type: "text/javascript" }));
    const { page, close } = await open(browser, host.address);
    await waitForState(page, "ready", "error");
    assert.match(await alertText(page), message);
    await close();
  });
}

test("the manifest makes the page installable: name, start and icons that exist at their sizes", async () => {
  const manifest = JSON.parse(await readFile(join(site, "manifest.webmanifest"), "utf8"));
  assert.ok(manifest.name && manifest.start_url && manifest.display === "standalone");
  for (const { src, sizes, type } of manifest.icons) {
    const icon = await readFile(join(site, src));
    if (type === "image/png") assert.equal(`${icon.readUInt32BE(16)}x${icon.readUInt32BE(20)}`, sizes, src);
  }
});
