// @ts-check
// The main path in Debian's Firefox, through WebDriver BiDi: the page loads and answers as in chromium, speaks the
// browser's language, works without its host after one visit, and says what is wrong. The rest is chromium's.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { classify, open, waitForState } from "./browser.mjs";
import { fromNodeModules, site } from "./environment.mjs";
import { browser as chromium, hosting, photo } from "./fixture.mjs";
import { truncated } from "./server.mjs";

/** @typedef {import("puppeteer-core").Page} Page */

const PATIENCE = 180_000; // ms: Firefox needs its time on a busy machine

/** @type {import("puppeteer-core").Browser} */
let firefox;
/** @type {string} */
let folder;
/** @type {string} */
let file;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ouaf-firefox-"));
  file = join(folder, "photo.jpg");
  await writeFile(file, photo.buffer);
  firefox = await fromNodeModules("puppeteer-core").launch({
    browser: "firefox",
    executablePath: "/usr/bin/firefox-esr",
    timeout: PATIENCE,
    protocolTimeout: PATIENCE,
    extraPrefsFirefox: {
      "intl.accept_languages": "fr, en",
      // Whatever Firefox wants from elsewhere meets a closed door.
      "network.proxy.type": 1,
      "network.proxy.http": "127.0.0.1",
      "network.proxy.http_port": 9,
      "network.proxy.ssl": "127.0.0.1",
      "network.proxy.ssl_port": 9,
      "network.proxy.no_proxies_on": "127.0.0.1",
    },
  });
});
after(async () => {
  await firefox?.close();
  await rm(folder, { recursive: true });
});

/** @param {string} address */
async function visit(address) {
  const page = await firefox.newPage();
  page.setDefaultTimeout(PATIENCE);
  /** @type {string[]} */
  const complaints = [];
  page.on("console", (message) => void (["error", "warn"].includes(message.type()) && complaints.push(message.text())));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(address);
  return { page, complaints };
}

/** @param {Page} page @param {...string} states */
const state = (page, ...states) => page.waitForFunction((wanted) => wanted.includes(document.documentElement.dataset.state ?? ""), {}, states);

/** @param {Page} page @param {string} selector */
const text = (page, selector) => page.$eval(selector, (element) => element.textContent ?? "");

/** @param {Page} page */
async function answersOf(page) {
  const input = /** @type {import("puppeteer-core").ElementHandle<HTMLInputElement>} */ (await page.$("#photo"));
  await input.uploadFile(file);
  await state(page, "done", "error");
  return page.$$eval("[data-prediction]", (items) => items.map((item) => ({ id: item.getAttribute("data-id"), probability: Number(item.getAttribute("data-probability")) })));
}

test("Firefox loads the page, answers as chromium does, in French, and again without its host", async () => {
  const host = await hosting(site, { under: "/dogs/" });
  const other = await open(chromium, host.address);
  await waitForState(other.page, "ready", "error");
  const expected = await classify(other.page, photo);
  await other.close();
  assert.equal(expected.length, 3);

  const { page, complaints } = await visit(host.address);
  await state(page, "ready", "error");
  assert.equal(await text(page, "#message"), "");
  assert.equal(await text(page, "h1"), "De quelle race est ce chien\u00a0?");
  const assertAsInChromium = async () => {
    const found = await answersOf(page);
    assert.deepEqual(found.map(({ id }) => id), expected.map(({ id }) => id));
    for (const [index, { probability }] of found.entries()) {
      assert.ok(Math.abs(probability - expected[index].probability) < 1e-4, `${probability} in Firefox, ${expected[index].probability} in chromium`);
    }
  };
  await assertAsInChromium();

  await page.waitForFunction(() => /gardé sur cet appareil/.test(document.querySelector("#stored")?.textContent ?? ""));
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  host.close();
  await page.reload();
  await state(page, "ready", "error");
  await assertAsInChromium();
  assert.ok(await page.$eval("#graphics", (element) => /** @type {HTMLElement} */ (element).hidden), "no graphics card is offered");
  await page.click("#language");
  assert.equal(await text(page, "h1"), "Which breed is this dog?");
  assert.deepEqual(complaints, []);
  await page.close();
});

test("Firefox says what is wrong with a download, and tries again", async () => {
  const host = await hosting(site);
  host.faults.set("model/model.onnx.gz", truncated);
  const { page } = await visit(host.address);
  await state(page, "ready", "error");
  assert.match(await text(page, "#message"), /n’est pas arrivé entier \(model\/model\.onnx\.gz\)/);
  host.faults.clear();
  await page.click("#retry");
  await state(page, "ready", "error");
  assert.equal(await text(page, "#message"), "");
  assert.equal((await answersOf(page)).length, 3);
  await page.close();
});
