// @ts-check
// What an answer is worth: sure, not sure, or no dog at all, as the native program has it; more breeds than three; and
// where the network looked, over the photo.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { classify, open, waitForState } from "./browser.mjs";
import { site, unseen } from "./environment.mjs";
import { browser, hosting, photo, seen } from "./fixture.mjs";
import { native, noBinary } from "./native.mjs";

/** @type {Awaited<ReturnType<typeof open>>} */
let visit;

before(async () => {
  visit = await open(browser, (await hosting(site)).address);
  await waitForState(visit.page, "ready");
});

after(() => assert.deepEqual(visit.complaints, []));

const words = { sure: "Most likely", unsure: "Not sure. It may be", none: "I see no dog here" };

/**
 * Ten photos of each: web dogs, dogs of other breeds, other things.
 * @returns {Promise<string[]>}
 */
async function mixed() {
  const lines = (await readFile(join(String(unseen), "labels.csv"), "utf8")).trim().split("\n").slice(1);
  const files = lines.map((line) => line.split(",")[0]);
  return ["web/", "other_breeds/", "not_dog/"].flatMap((folder) => {
    const all = files.filter((file) => file.startsWith(folder));
    return all.filter((_, place) => place % Math.floor(all.length / 10) === 0).slice(0, 10);
  });
}

test("each photo's verdict is the native program's", { skip: noBinary || !unseen }, async () => {
  const files = await mixed();
  const paths = files.map((file) => join(String(unseen), file));
  const expected = native(paths).map(({ verdict }) => verdict);
  assert.deepEqual([...new Set(expected)].sort(), ["none", "sure", "unsure"]);
  for (const [index, path] of paths.entries()) {
    await classify(visit.page, path);
    const verdict = expected[index];
    assert.equal(await visit.page.locator("#verdict").innerText(), words[verdict], files[index]);
    assert.equal(await visit.page.locator("#remark").isVisible(), verdict === "none");
    const spoken = await visit.page.getByRole("status").first().innerText();
    assert.ok(spoken.startsWith(words[verdict]), spoken);
    if (files[index].startsWith("not_dog")) assert.notEqual(verdict, "sure", files[index]);
  }
});

test("more breeds are a button away", async () => {
  assert.equal((await classify(visit.page, photo)).length, 3);
  const shown = visit.page.locator("[data-prediction]");
  await visit.page.getByRole("button", { name: "More breeds" }).click();
  assert.equal(await shown.count(), 10);
  const odds = await shown.evaluateAll((items) => items.map((item) => Number(/** @type {HTMLElement} */ (item).dataset.probability)));
  assert.deepEqual(odds, [...odds].sort((a, b) => b - a));
  await visit.page.getByRole("button", { name: "Fewer breeds" }).click();
  assert.equal(await shown.count(), 3);
});

test("an answer is copied as text", async () => {
  const shown = await classify(visit.page, photo);
  await visit.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await visit.page.getByRole("button", { name: "Copy", exact: true }).click();
  await visit.page.getByRole("button", { name: "Copied" }).waitFor();
  const text = await visit.page.evaluate(() => navigator.clipboard.readText());
  assert.deepEqual(text.split("\n"), [words.unsure, ...shown.map(({ name, shown: share }) => `${share}  ${name}`)]);
});

test("where it looked lies over the square that the network saw", async () => {
  await classify(visit.page, photo);
  await visit.page.waitForSelector("[data-photo=shown]");
  const heat = visit.page.locator("#heat");
  assert.ok(await heat.isHidden());
  const button = visit.page.getByRole("button", { name: "Where it looked" });
  await button.click();
  assert.equal(await button.getAttribute("aria-pressed"), "true");

  const { strongest, faintest, ...square } = await visit.page.evaluate(() => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector("#heat"));
    const image = /** @type {HTMLImageElement} */ (document.querySelector("#shown"));
    const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    const alphas = [...pixels].filter((_, place) => place % 4 === 3);
    const [a, b] = [canvas.getBoundingClientRect(), image.getBoundingClientRect()];
    const scale = Math.min(b.width / image.naturalWidth, b.height / image.naturalHeight);
    return {
      places: [canvas.width, canvas.height],
      strongest: Math.max(...alphas),
      faintest: Math.min(...alphas),
      side: Math.round(a.width / scale),
      short: Math.min(image.naturalWidth, image.naturalHeight),
      right: Math.abs(a.left + a.width / 2 - b.left - b.width / 2),
      down: Math.abs(a.top + a.height / 2 - b.top - b.height / 2),
    };
  });
  assert.deepEqual(square.places, [7, 7], "EfficientNetV2-B0 halves 224 pixels five times");
  assert.ok(strongest > 200 && faintest < 50, `${strongest}, ${faintest}`);
  assert.ok(Math.abs(square.side - (square.short * seen.size) / seen.resize) <= 1, `${square.side} of ${square.short}`);
  assert.ok(square.right < 1 && square.down < 1);

  await classify(visit.page, { name: "notes.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no picture") });
  assert.ok(await heat.isHidden(), "a photo without an answer has no heat");
});
