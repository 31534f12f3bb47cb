// @ts-check
// Loading on good, odd and broken hosts: progress in honest bytes, a clear message when a file
// does not arrive, and a retry that works.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { alertText, answers, classify, open, waitForState } from "./browser.mjs";
import { site } from "./environment.mjs";
import { browser, hosting, photo } from "./fixture.mjs";
import { interrupted, missing, truncated, webPage } from "./server.mjs";

/**
 * Opens the page and notes every position of the progress bar on the way.
 * @param {string} address
 */
async function watchLoading(address) {
  const visit = await open(browser, "about:blank");
  await visit.page.addInitScript(() => {
    /** @type {{value: number, max: number, text: string}[]} */
    const steps = [];
    Reflect.set(window, "steps", steps);
    addEventListener("DOMContentLoaded", () => {
      const progress = document.querySelector("progress");
      const text = document.querySelector("#progress-text");
      if (!progress || !text) return;
      new MutationObserver(() => {
        steps.push({ value: progress.value, max: progress.max, text: text.textContent ?? "" });
      }).observe(text, { childList: true, characterData: true, subtree: true });
    });
  });
  await visit.page.goto(address);
  await waitForState(visit.page, "ready", "error");
  /** @type {{value: number, max: number, text: string}[]} */
  const steps = await visit.page.evaluate(() => Reflect.get(window, "steps"));
  return { ...visit, steps };
}

test("each part says how much of it has come, from the start without moving anything, and in the visitor's language", async () => {
  const host = await hosting(site, { pause: 60 });
  const { downloads } = JSON.parse(await readFile(join(site, "site.json"), "utf8"));
  const { page, close } = await open(browser, host.address, { locale: "fr-FR" });
  const lines = () => page.locator("#progress-parts > div").evaluateAll((all) => all.map((line) => [...line.children].map((part) => part.textContent)));
  const height = async () => (await page.locator("#progress-parts").boundingBox())?.height;
  await page.waitForFunction(() => /reçus/.test(document.querySelector("[data-part=preprocessing]")?.textContent ?? ""));
  const [early, begun] = [await height(), await lines()];
  assert.deepEqual(begun.map(([name]) => name), ["Réseau de neurones", "Moteur de calcul", "Lecture des photos"]);
  const size = (/** @type {string} */ path) => downloads.find((/** @type {{path: string}} */ part) => part.path === path).bytes / 1e6;
  const network = size("model/model.onnx.gz").toFixed(1).replace(".", ",");
  assert.match(begun[0][1] ?? "", new RegExp(`^\\d,\\d sur ${network} Mo$`));
  assert.equal(begun[2][1], "0,3 Mo, reçus");

  await page.getByRole("button", { name: "English" }).click();
  await waitForState(page, "ready");
  assert.deepEqual(await page.locator("#progress-parts > div").evaluateAll((all) => all.map((line) => line.textContent)), [
    `Neural network${size("model/model.onnx.gz").toFixed(1)} MB, here`,
    `What runs it${size("vendor/ort-wasm-simd-threaded.wasm.gz").toFixed(1)} MB, here`,
    `What reads photos${size("preprocess.wasm.gz").toFixed(1)} MB, here`,
  ]);
  await page.evaluate(() => (document.documentElement.dataset.state = "loading"));
  assert.equal(await height(), early, "the lines have their place from the start");
  await close();
});

for (const claimEncoding of [false, true]) {
  test(`progress is in bytes, only grows and ends full${claimEncoding ? ", also where the host calls .gz an encoding" : ""}`, async () => {
    const { downloads } = JSON.parse(await readFile(join(site, "site.json"), "utf8"));
    const total = downloads.reduce((/** @type {number} */ sum, /** @type {{bytes: number}} */ part) => sum + part.bytes, 0);
    const host = await hosting(site, { claimEncoding, pause: 20 });
    const { page, steps, complaints, close } = await watchLoading(host.address);

    assert.ok(steps.length > 5, `${steps.length} steps`);
    for (const [index, { value, max, text }] of steps.entries()) {
      assert.equal(max, total);
      assert.ok(value <= max, `${value} of ${max}`);
      if (index > 0) assert.ok(value >= steps[index - 1].value, "went back");
      if (value < max) assert.equal(text, `${(value / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`);
    }
    assert.equal(steps.at(-1)?.value, total);
    assert.equal((await classify(page, photo)).length, 3);
    assert.deepEqual(complaints, []);
    await close();
  });
}

test("a photo chosen while the model loads is answered as soon as it can be", async () => {
  const host = await hosting(site, { pause: 20 });
  const { page, close } = await open(browser, host.address);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.state), "loading");
  assert.equal((await classify(page, photo)).length, 3);
  await close();
});

test("a photo chosen before the page's code has come is answered too", async () => {
  const host = await hosting(site);
  const { page, close } = await open(browser, "about:blank");
  /** @type {(value?: unknown) => void} */
  let release = () => {};
  const held = new Promise((done) => (release = done));
  await page.route("**/main.js", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(host.address, { waitUntil: "commit" });
  await page.setInputFiles("#photo", photo);
  assert.equal(await page.evaluate(() => "started" in document.documentElement.dataset), false);
  release();
  await waitForState(page, "done", "error");
  assert.equal((await answers(page)).length, 3);
  await close();
});

const faults = /** @type {const} */ ([
  ["model/model.onnx.gz", "is cut off", truncated, /did not arrive whole \(model\/model\.onnx\.gz\)/],
  ["vendor/ort-wasm-simd-threaded.wasm.gz", "breaks off half way", interrupted, /did not arrive whole \(vendor\/.+\.wasm\.gz\)/],
  ["preprocess.wasm.gz", "is a web page", webPage, /web page in place of preprocess\.wasm\.gz/],
  ["model/model.json", "is a web page", webPage, /web page in place of model\/model\.json/],
  ["site.json", "is missing", missing, /site\.json is missing/],
  ["preprocess.mjs", "is a web page", webPage, /download failed \(preprocess\.mjs\)/],
  ["vendor/ort.wasm.min.mjs", "is missing", missing, /download failed \(vendor\/ort\.wasm\.min\.mjs\)/],
  ["worker.js", "breaks off half way", interrupted, /could not start its worker/],
]);
for (const [path, what, fault, message] of faults) {
  test(`${path} ${what}: a message, and trying again works`, async () => {
    const host = await hosting(site);
    host.faults.set(path, fault);
    const { page, close } = await open(browser, host.address);
    await waitForState(page, "ready", "error");
    assert.match(await alertText(page), message);
    assert.ok(await page.locator("#retry").isVisible());

    host.faults.clear();
    await page.getByRole("button", { name: "Try again" }).click();
    await waitForState(page, "ready", "error");
    assert.equal(await alertText(page), "");
    assert.equal((await classify(page, photo)).length, 3);
    await close();
  });
}

test("the photo given to a page that failed is answered after trying again", async () => {
  const host = await hosting(site);
  host.faults.set("model/model.onnx.gz", truncated);
  const { page, close } = await open(browser, host.address);
  await waitForState(page, "error");
  await page.setInputFiles("#photo", photo);
  assert.match(await alertText(page), /did not arrive whole/, "the message stays: without a model no photo helps");
  host.faults.clear();
  await page.locator("#retry").click();
  await waitForState(page, "done");
  await close();
});

test("a device that computes something else than the bundle says is refused", async () => {
  const host = await hosting(site);
  host.faults.set("model/model.json", (body) => {
    const manifest = JSON.parse(body.toString());
    manifest.golden.logits[0] += 1;
    return { body: JSON.stringify(manifest) };
  });
  const { page, close } = await open(browser, host.address);
  await waitForState(page, "ready", "error");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.state), "error");
  assert.ok((await alertText(page)).length > 10);
  await close();
});
