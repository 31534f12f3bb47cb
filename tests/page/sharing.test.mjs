// @ts-check
// What a visitor does with an answer: reads what else it could be, asks for a second look, copies it as a picture, says that it is wrong.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { classify, open, waitForState } from "./browser.mjs";
import { site } from "./environment.mjs";
import { browser, hosting, photo, seen } from "./fixture.mjs";

const web = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "web");

/** @type {Awaited<ReturnType<typeof open>>} */
let visit;
before(async () => {
  visit = await open(browser, (await hosting(site)).address);
  await visit.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await waitForState(visit.page, "ready");
});
after(() => assert.deepEqual(visit.complaints, []));

/** The drawn photo and its mirror image as PNG files as large as a resized photo, which are seen without resampling. */
async function bothWays() {
  const made = await visit.page.evaluate(async ({ bytes, side }) => {
    /** @type {(source: CanvasImageSource, mirrored: boolean) => OffscreenCanvas} */
    const drawn = (source, mirrored) => {
      const canvas = new OffscreenCanvas(side, side);
      const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
      context.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? side : 0, 0);
      context.drawImage(source, 0, 0, side, side);
      return canvas;
    };
    const own = drawn(await createImageBitmap(new Blob([new Uint8Array(bytes)])), false);
    return Promise.all([own, drawn(own, true)].map(async (canvas) => [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())]));
  }, { bytes: [...photo.buffer], side: seen.resize });
  return made.map((bytes, place) => ({ name: `${place}.png`, mimeType: "image/png", buffer: Buffer.from(bytes) }));
}

/** The ten answers as logarithms of their odds to the first: differences of logits. */
async function tenLogits() {
  await visit.page.getByRole("button", { name: "More breeds" }).click();
  const items = await visit.page.locator("[data-prediction]").evaluateAll((all) =>
    all.map((item) => /** @type {HTMLElement} */ (item).dataset).map(({ id, probability }) => ({ id, value: Math.log(Number(probability)) })));
  await visit.page.getByRole("button", { name: "Fewer breeds" }).click();
  return new Map(items.map(({ id, value }) => [String(id), value]));
}

test("a second look is the mean of the photo's logits and its mirror image's", async () => {
  const [own, mirrored] = await bothWays();
  await classify(visit.page, own);
  const first = await tenLogits();
  await classify(visit.page, mirrored);
  const second = await tenLogits();

  const button = visit.page.getByRole("button", { name: "Look twice" });
  await button.click();
  assert.equal(await button.getAttribute("aria-pressed"), "true");
  await waitForState(visit.page, "done");
  await classify(visit.page, own);
  const both = await tenLogits();
  await button.click();
  await waitForState(visit.page, "done");
  assert.deepEqual(await tenLogits(), first, "and it is an option");

  const known = [...both.keys()].filter((id) => first.has(id) && second.has(id));
  assert.ok(known.length >= 4, `${known.length} of ten breeds stand in all three answers`);
  const gap = (/** @type {Map<string, number>} */ logits, /** @type {string} */ id) => Number(logits.get(id)) - Number(logits.get(known[0]));
  for (const id of known.slice(1)) {
    const mean = (gap(first, id) + gap(second, id)) / 2;
    // A mirrored tensor and a mirrored file differ in nothing; float32 sums of the network in another order do.
    assert.ok(Math.abs(gap(both, id) - mean) < 1e-3, `${id}: ${gap(both, id)}, the mean is ${mean}`);
  }
  assert.ok(known.some((id) => Math.abs(gap(first, id) - gap(second, id)) > 0.02), "the mirror image is another picture");
});

test("an answer is copied as a picture, with the photo in it", async () => {
  await classify(visit.page, photo);
  await visit.page.waitForSelector("[data-photo=shown]");
  await visit.page.getByRole("button", { name: "Copy as picture" }).click();
  await visit.page.locator("#picture").filter({ hasText: "Copied" }).waitFor();
  const { width, height, like } = await visit.page.evaluate(async () => {
    const [item] = await navigator.clipboard.read();
    const copied = await createImageBitmap(await item.getType("image/png"));
    const shown = /** @type {HTMLImageElement} */ (document.querySelector("#shown"));
    const side = 16;
    const colours = (/** @type {CanvasImageSource} */ source, /** @type {number} */ sourceWidth, /** @type {number} */ sourceHeight) => {
      const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(side, side).getContext("2d"));
      context.imageSmoothingQuality = "high";
      context.drawImage(source, 0, 0, sourceWidth, sourceHeight, 0, 0, side, side);
      return context.getImageData(0, 0, side, side).data;
    };
    const photoHeight = Math.round((copied.width * shown.naturalHeight) / shown.naturalWidth);
    const [a, b] = [colours(copied, copied.width, photoHeight), colours(shown, shown.naturalWidth, shown.naturalHeight)];
    const difference = a.reduce((sum, value, place) => sum + Math.abs(value - b[place]), 0) / a.length;
    return { width: copied.width, height: copied.height - photoHeight, like: difference };
  });
  assert.equal(width, 800);
  assert.ok(height > 250, `${height} pixels for three breeds`);
  assert.ok(like < 4, `the photo differs by ${like} of 255`);
});

test("a wrong answer is noted in this browser, saved as JSON, and forgotten", async () => {
  const [best] = await classify(visit.page, photo);
  await visit.page.getByText("Is it wrong?").click();
  const keep = visit.page.getByRole("button", { name: "Note it" });
  assert.ok(await keep.isDisabled(), "nothing is said yet");
  const choice = visit.page.getByRole("combobox", { name: "It is" });
  assert.equal(await choice.locator("option").count(), 123, "120 breeds, two others, and the invitation");
  await choice.selectOption({ label: "pug" });
  await keep.click();
  await visit.page.getByText("1 note of a wrong answer.").waitFor();
  await choice.selectOption({ label: "not a dog" });
  await keep.click();
  await visit.page.getByText("2 notes of wrong answers.").waitFor();

  await visit.page.reload();
  await waitForState(visit.page, "ready");
  const download = visit.page.waitForEvent("download");
  await visit.page.getByRole("button", { name: "Download as JSON" }).click();
  const saved = JSON.parse(await readFile(await (await download).path(), "utf8"));
  const model = JSON.parse(await readFile(join(site, "model", "model.json"), "utf8"));
  const [first, second] = saved.flags;
  assert.equal(first.said, model.classes.find((/** @type {any} */ each) => each.name.en === "pug").id);
  assert.equal(second.said, "not_a_dog");
  assert.equal(first.predictions[0].id, best.id);
  assert.equal(first.photo.sha256, createHash("sha256").update(photo.buffer).digest("hex"));
  assert.equal(first.model.sha256, model.sha256);
  assert.ok(Math.abs(Date.now() - Date.parse(first.time)) < 600_000);
  assert.ok(!JSON.stringify(saved).includes("base64"), "never the photo");

  await visit.page.getByRole("button", { name: "Forget them" }).click();
  assert.ok(await visit.page.locator("#flags").isHidden());
  assert.equal(await visit.page.evaluate(() => localStorage.length), 0);
});

test("a breed that is often taken for another comes with how to tell them apart, in both languages", async () => {
  const [best, second] = await classify(visit.page, photo); // drawn as one of the Swiss mountain dogs
  const { alike } = await import(pathToFileURL(join(web, "lib", "look_alikes.js")).href);
  const [pair] = alike([best, second]);
  assert.ok(pair, `${best.name} has look-alikes`);
  const others = visit.page.getByRole("list", { name: "Could also be" });
  const model = JSON.parse(await readFile(join(site, "model", "model.json"), "utf8"));
  const named = (/** @type {string} */ id) => model.classes.find((/** @type {any} */ each) => each.id === id).name;
  assert.equal(await others.locator("li").first().innerText(), `Could also be: ${named(pair.other).en}. ${pair.en}`);
  await visit.page.getByRole("button", { name: "Français" }).click();
  const french = await visit.page.locator("#others li").first().innerText();
  assert.equal(french, `Peut aussi être\u00a0: ${named(pair.other).fr}. ${pair.fr}`);
  await visit.page.getByRole("button", { name: "English" }).click();
});

test("every look-alike is a breed of the model, told in both languages", async () => {
  const { lookAlikes } = await import(pathToFileURL(join(web, "lib", "look_alikes.js")).href);
  const model = JSON.parse(await readFile(join(site, "model", "model.json"), "utf8"));
  const known = new Set(model.classes.map((/** @type {any} */ each) => each.id));
  assert.ok(lookAlikes.length >= 10);
  for (const { ids, en, fr } of lookAlikes) {
    assert.ok(ids.length === 2 && ids.every((/** @type {string} */ id) => known.has(id)), String(ids));
    assert.ok(en.endsWith(".") && fr.endsWith(".") && en !== fr);
  }
});
