// @ts-check
// Several photos at once: a card each with the answer that the photo gets alone, sorted, and as CSV;
// also while the model is still loading, across a failure, and beside a photo chosen meanwhile.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { classify, open, waitForState } from "./browser.mjs";
import { drawPicture } from "./drawn_picture.mjs";
import { site } from "./environment.mjs";
import { browser, hosting, photo } from "./fixture.mjs";

/** @param {string} name @param {Buffer} buffer */
const file = (name, buffer) => ({ name, mimeType: "image/jpeg", buffer });
/** @type {ReturnType<typeof file>[]} */
let photos;

before(async () => {
  photos = [
    file("10 drawn.jpg", photo.buffer),
    file("9 green.jpg", await drawPicture(browser, "hue-rotate(120deg)")),
    file('a "letter", really.jpg', Buffer.from("Bonjour")),
    file("2 pale.jpg", await drawPicture(browser, "contrast(0.4)")),
  ];
});

/** @param {import("playwright-core").Page} page */
const cards = (page) =>
  page.locator("#cards > li").evaluateAll((items) =>
    items.map((item) => {
      const text = (/** @type {string} */ part) => item.querySelector(part)?.textContent ?? "";
      return { file: text(".file"), name: text(".name"), share: text(".share"), width: item.querySelector("img")?.naturalWidth ?? 0 };
    }),
  );

/** @param {import("playwright-core").Page} page @param {number} count */
const allDone = (page, count) => page.waitForFunction((text) => document.querySelector("#many-title")?.textContent === text, `${count} photos`);

const noDog = "I see no dog here";
/** Cards with an answer. @param {import("playwright-core").Page} page */
const answered = async (page) => (await cards(page)).filter(({ name, share }) => share || name === noDog).length;

test("each photo's card says what the photo gets alone; sorting and CSV say the same", async () => {
  const { page, complaints, close } = await open(browser, (await hosting(site)).address);
  await waitForState(page, "ready");
  /** @type {Map<string, (import("./browser.mjs").Shown & {verdict: string}) | undefined>} */
  const alone = new Map();
  for (const each of photos) {
    const [best] = await classify(page, each);
    alone.set(each.name, best && { ...best, verdict: await page.locator("#verdict").innerText() });
  }
  assert.ok(await page.locator("#many").isHidden(), "one photo needs no list");

  await page.setInputFiles("#photo", photos);
  await allDone(page, photos.length);
  const given = await cards(page);
  assert.deepEqual(given.map((card) => card.file), photos.map(({ name }) => name));
  for (const card of given) {
    const expected = alone.get(card.file);
    const isDog = expected && expected.verdict !== noDog;
    assert.equal(card.name, expected ? (isDog ? expected.name : noDog) : "not recognised");
    assert.equal(card.share, isDog ? expected.shown : "");
    assert.equal(card.width > 0, expected !== undefined, "a picture has its thumbnail");
  }

  const order = async (/** @type {string} */ by) => {
    await page.getByLabel("Sort by").selectOption(by);
    return (await cards(page)).map((card) => card.file.split(" ")[0]);
  };
  assert.deepEqual(await order("file"), ["2", "9", "10", "a"], "numbers in names count as numbers");
  const certain = photos.map(({ name }) => name).sort((a, b) => (alone.get(b)?.probability ?? -1) - (alone.get(a)?.probability ?? -1));
  assert.deepEqual(await order("certain"), certain.map((name) => name.split(" ")[0]));
  assert.deepEqual(await order("uncertain"), certain.map((name) => name.split(" ")[0]).reverse());

  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download as CSV" }).click();
  const csv = await readFile(await (await saving).path(), "utf8");
  const lines = csv.trimEnd().split("\r\n");
  assert.equal(lines.length, 1 + photos.length);
  assert.ok(lines[0].startsWith("\ufefffile,answer,breed,id,probability,"));
  const first = alone.get(photos[0].name);
  assert.ok(lines[1].startsWith(`10 drawn.jpg,not sure,${first?.name},${first?.id},${first?.probability.toFixed(4)},`), lines[1]);
  assert.match(lines[3], /^"a ""letter"", really\.jpg",,,,,,,,,.{10,}$/);

  await page.locator("#cards button").last().press("Enter"); // the least certain first: the last is the best
  await waitForState(page, "done");
  await page.waitForFunction(() => document.querySelectorAll("[data-prediction]").length === 3);
  assert.equal(await page.locator("[data-prediction]").first().getAttribute("data-probability"), String(alone.get(certain[0])?.probability));
  await page.getByRole("button", { name: "Close the list" }).click();
  assert.ok(await page.locator("#many").isHidden());
  assert.deepEqual(complaints, []);
  await close();
});

test("photos given while the model loads are all answered, and one chosen meanwhile comes first", async () => {
  const { page, close } = await open(browser, (await hosting(site, { pause: 20 })).address);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.state), "loading");
  await page.setInputFiles("#photo", [...photos, ...photos, ...photos]);
  await page.locator("#cards button").nth(7).click();
  await waitForState(page, "done");
  const left = (await cards(page)).filter(({ name }) => name === "waiting").length;
  assert.ok(left > 0, "its answer does not wait for the list's");
  await allDone(page, 12);
  assert.equal(await answered(page), 9);
  await close();
});

test("a list goes on after the model could be fetched at the second try", async () => {
  const host = await hosting(site);
  host.faults.set("model/model.onnx.gz", () => ({ body: "not here", status: 404 }));
  const { page, close } = await open(browser, host.address);
  await page.setInputFiles("#photo", photos);
  await waitForState(page, "error");
  host.faults.clear();
  await page.locator("#retry").click();
  await allDone(page, photos.length);
  assert.equal(await answered(page), 3);
  await close();
});
