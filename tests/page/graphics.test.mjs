// @ts-check
// The graphics card: offered where there is one, tried when the visitor asks, used from then on if it was faster, and
// never in the way. Chromium's software card (SwiftShader) runs the real network here, slowly: it loses every honest
// trial, so the processor gets a slow clock where the card has to win.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { assertNothingFound } from "./axe.mjs";
import { alertText, answers, classify, launch, open, waitForState } from "./browser.mjs";
import { screenshots, site } from "./environment.mjs";
import { browser as withoutCard, hosting, photo } from "./fixture.mjs";
import { policyHeader, violations } from "./policy.mjs";
import { interrupted, missing } from "./server.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("./browser.mjs").Shown} Shown */

const PATIENCE = 300_000; // ms: SwiftShader needs its time on a busy machine
const withCard = await launch(["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]);
after(() => withCard.close());

/** @type {{downloads: {sha256: string, path: string}[], graphics_card: {bytes: number, sha256: string, path: string}[]}} */
const { downloads, graphics_card: forCard } = JSON.parse(await readFile(join(site, "site.json"), "utf8"));
const megabytes = (forCard.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1);
const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
const memory = "ouaf graphics card ";

/**
 * @param {import("playwright-core").Browser} browser
 * @param {string} address
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
async function visit(browser, address, options) {
  const opened = await open(browser, address, options);
  opened.page.setDefaultTimeout(PATIENCE);
  await stored(opened.page);
  return opened;
}

/** Until everything is stored that will be. @param {Page} page */
async function stored(page) {
  await waitForState(page, "ready", "error");
  await page.waitForFunction(() => /kept on this device|gardé/.test(document.querySelector("#stored")?.textContent ?? ""));
  await page.waitForTimeout(500); // what is offered comes a moment later, or not at all
}

/** @param {Page} page @param {RegExp} pattern */
const said = (page, pattern) =>
  page.waitForFunction((source) => new RegExp(source).test(document.querySelector("#graphics-said")?.textContent ?? ""), pattern.source);

/** @param {Page} page */
const remembered = (page) =>
  page.evaluate((start) => Object.entries(localStorage).filter(([name]) => name.startsWith(start)).map(([, value]) => JSON.parse(value)), memory);

/** The hashes of what is stored. @param {Page} page */
const kept = (page) =>
  page.evaluate(async () => {
    const name = (await caches.keys()).find((each) => each.startsWith("ouaf downloads"));
    const requests = name ? await (await caches.open(name)).keys() : [];
    return requests.map(({ url }) => url.slice(url.lastIndexOf("/") + 1)).sort();
  });

/** Those that answer, not the threads of theirs. @param {Page} page */
const workersOf = (page) => page.workers().filter((worker) => worker.url().endsWith("/worker.js"));

/** @param {{sha256: string}[]} files */
const hashes = (files) => files.map(({ sha256 }) => sha256).sort();

/** @param {{requests: string[]}} host */
const askedForCard = (host) => host.requests.filter((path) => path.includes(".jspi."));

/** The processor's clock runs late: the card is the faster one. @param {Page} page */
async function slowProcessor(page) {
  await page.addInitScript(() => {
    const send = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (/** @type {any[]} */ ...message) {
      if (message[0].type === "load" && !message[0].card) {
        const late = (/** @type {MessageEvent} */ { data }) => {
          if (data.type === "timed") data.milliseconds += 1e6;
        };
        this.addEventListener("message", late, { capture: true });
      }
      Reflect.apply(send, this, message);
    };
  });
}

/** @param {Shown[]} found @param {Shown[]} expected */
function assertSame(found, expected) {
  assert.equal(found.length, 3);
  assert.deepEqual(found.map(({ id }) => id), expected.map(({ id }) => id));
  for (const [index, { probability }] of found.entries()) {
    assert.ok(Math.abs(probability - expected[index].probability) < 1e-4, `${probability} and ${expected[index].probability}`);
  }
}

/** As the visitor sees it, phone and desktop. @param {Page} page @param {string} state */
async function shoot(page, state) {
  if (!screenshots) return;
  for (const [name, width, height] of /** @type {const} */ ([["phone", 390, 844], ["desktop", 1200, 800]])) {
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: join(screenshots, `${name}-graphics-${state}.png`), fullPage: true });
  }
}

test("without a card nothing is offered, and what it needs is no part of any visit", async () => {
  const host = await hosting(site, { headers: isolation });
  const { page, complaints, close } = await visit(withoutCard, host.address);
  assert.ok(await page.locator("#graphics").isHidden());
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  assert.deepEqual(askedForCard(host), []);
  assert.deepEqual(await kept(page), hashes(downloads));
  assert.deepEqual(complaints, []);
  await close();
});

test("a first visit with one thread offers nothing; the second one does, in both languages, and fetches nothing for it", async () => {
  const host = await hosting(site, { under: "/dogs/" });
  const { page, complaints, close } = await visit(withCard, host.address, { reducedMotion: "reduce" });
  assert.ok(await page.locator("#graphics").isHidden());
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await page.reload();
  await stored(page);
  await said(page, /^The graphics card may answer faster\.$/);
  await page.getByRole("button", { name: `Try it (downloads ${megabytes} MB)` }).waitFor();
  await assertNothingFound(page, "offer");
  await shoot(page, "offer");
  await page.getByRole("button", { name: "Français" }).click();
  await page.getByRole("button", { name: `L’essayer (${megabytes.replace(".", ",")}\u00a0Mo à télécharger)` }).waitFor();
  await shoot(page, "offer-fr");
  assert.deepEqual(askedForCard(host), []);
  assert.deepEqual(complaints, []);
  await close();
});

test("a trial for real: the slower card is let go of, the processor stays, and that is remembered", async () => {
  const host = await hosting(site, { headers: { ...isolation, ...(await policyHeader()) } });
  const { page, complaints, close } = await visit(withCard, host.address);
  const before = await classify(page, photo);
  await page.getByRole("button", { name: "Try it" }).click();
  await said(page, /Timing/);
  assertSame(await classify(page, photo), before); // meanwhile the processor goes on
  await said(page, /^The processor answers in .+, the graphics card in .+: the processor is used\.$/);
  assert.ok(await page.locator("#graphics-try").isHidden());
  await shoot(page, "slower");
  const [{ card, processor }] = await remembered(page);
  assert.ok(card > processor, `${card} and ${processor} ms`);
  assert.deepEqual(await kept(page), hashes(downloads));
  assertSame(await classify(page, photo), before);

  host.requests.length = 0;
  await page.reload();
  await stored(page);
  await said(page, /the processor is used/);
  assert.ok(await page.locator("#graphics-try").isHidden());
  assert.deepEqual(askedForCard(host), []);
  await page.getByRole("button", { name: "Free the space" }).click();
  await page.locator("#graphics").waitFor({ state: "hidden" });
  assert.deepEqual(await remembered(page), []);
  assert.deepEqual(complaints, []);
  assert.deepEqual(violations(host), []);
  await close();
});

test("the faster card answers as the processor does, from then on, without a network too; and when it is lost the processor takes over", async () => {
  const host = await hosting(site, { under: "/dogs/" });
  const { page, complaints, close } = await visit(withCard, host.address);
  await slowProcessor(page);
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await page.reload();
  await stored(page);
  const before = await classify(page, photo);
  const megabytesBefore = await page.locator("#stored").innerText();
  await page.getByRole("button", { name: "Try it" }).click();
  await said(page, /^The graphics card answers in .+, the processor in .+: the card is used\.$/);
  await shoot(page, "faster");
  assert.deepEqual(await kept(page), hashes([...downloads, ...forCard]));
  assert.notEqual(await page.locator("#stored").innerText(), megabytesBefore, "what is stored for the card is counted");
  while (workersOf(page).length > 1) await page.waitForTimeout(100); // the processor's ends
  assertSame(await classify(page, photo), before);

  host.close();
  await page.reload();
  await stored(page);
  await said(page, /the card is used/);
  assertSame(await classify(page, photo), before);

  const complained = complaints.length;
  await workersOf(page)[0].evaluate(async () => {
    const { env } = await import(String(new URL("vendor/ort.jspi.min.mjs", location.href)));
    (await env.webgpu.device).destroy();
  });
  await page.evaluate(() => document.querySelector("#answers")?.replaceChildren());
  assertSame(await classify(page, photo), before);
  assert.equal(await alertText(page), "");
  await said(page, /cannot be used at this visit/);
  assert.equal(complained, 0, complaints.join("\n"));

  await page.getByRole("button", { name: "Free the space" }).click();
  await page.locator("#graphics").waitFor({ state: "hidden" });
  assert.deepEqual(await remembered(page), []);
  assert.deepEqual(await kept(page), []);
  assert.equal((await answers(page)).length, 3);
  await close();
});

test("where the card that was faster is gone, the processor answers, and nobody gets an error", async () => {
  const host = await hosting(site, { headers: isolation });
  const { page, complaints, close } = await visit(withoutCard, host.address, { locale: "fr-FR" });
  const before = await classify(page, photo);
  const timed = [...downloads.filter(({ path }) => path !== "preprocess.wasm.gz"), ...forCard];
  const outcome = { key: hashes(timed).join(" "), card: 12, processor: 70 };
  await page.evaluate(([name, text]) => localStorage.setItem(name, text), [memory + host.address, JSON.stringify(outcome)]);
  await page.reload();
  await stored(page);
  await said(page, /n’est pas utilisable à cette visite/);
  assertSame(await classify(page, photo), before);
  assert.equal(await alertText(page), "");
  assert.deepEqual(await remembered(page), [outcome], "it may be back at the next visit");
  assert.deepEqual(complaints, []);

  // Of another version: it is not asked for at all.
  await page.evaluate(([name, text]) => localStorage.setItem(name, text), [memory + host.address, JSON.stringify({ ...outcome, key: "older" })]);
  host.requests.length = 0;
  await page.reload();
  await stored(page);
  assert.ok(await page.locator("#graphics").isHidden());
  assert.deepEqual(askedForCard(host), []);
  await close();
});

for (const [what, path, fault, message] of /** @type {const} */ ([
  ["that breaks off", "vendor/ort-wasm-simd-threaded.jspi.wasm.gz", interrupted, /did not arrive whole \(vendor\/.+\.jspi\.wasm\.gz\).+The processor goes on\./],
  ["of a file that is not there", "vendor/ort.jspi.min.mjs", missing, /vendor\/ort\.jspi\.min\.mjs is missing.+The processor goes on\./],
])) {
  test(`a download ${what}: a message, another try, and the processor goes on`, async () => {
    const host = await hosting(site, { headers: isolation });
    const { page, close } = await visit(withCard, host.address);
    const before = await classify(page, photo);
    host.faults.set(path, fault);
    await page.getByRole("button", { name: "Try it" }).click();
    await said(page, message);
    await page.getByRole("button", { name: "Try it" }).waitFor();
    assert.deepEqual(await kept(page), hashes(downloads));
    assert.deepEqual(await remembered(page), []);
    assertSame(await classify(page, photo), before);
    assert.equal(await alertText(page), "");
    await close();
  });
}
