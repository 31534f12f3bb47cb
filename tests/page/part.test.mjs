// @ts-check
// The part of a photo that is looked at: chosen by pointer and by keys, answered as the native program answers it.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertNothingFound } from "./axe.mjs";
import { answers, classify, open, waitForState } from "./browser.mjs";
import { site } from "./environment.mjs";
import { browser, hosting, photo, seen } from "./fixture.mjs";
import { native, noBinary } from "./native.mjs";

/** @type {Awaited<ReturnType<typeof open>>} */
let visit;
/** @type {string} */
let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ouaf-part-"));
  await writeFile(join(folder, "drawn.jpg"), photo.buffer);
  visit = await open(browser, (await hosting(site)).address, { viewport: { width: 1200, height: 900 } });
  await waitForState(visit.page, "ready");
});
after(async () => {
  assert.deepEqual(visit.complaints, []);
  await rm(folder, { recursive: true });
});

const toggle = () => visit.page.getByRole("button", { name: "Choose the part" });

/** Where the square lies on the photo as it is shown, in shares. */
function shownSquare() {
  return visit.page.evaluate(() => {
    const box = /** @type {HTMLElement} */ (document.querySelector("#part-box")).getBoundingClientRect();
    const image = /** @type {HTMLImageElement} */ (document.querySelector("#shown"));
    const frame = image.getBoundingClientRect();
    const scale = Math.min(frame.width / image.naturalWidth, frame.height / image.naturalHeight);
    const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
    return {
      left: (box.left - frame.left - (frame.width - width) / 2) / width,
      top: (box.top - frame.top - (frame.height - height) / 2) / height,
      side: box.width / Math.min(width, height),
    };
  });
}

/** @param {string} what */
async function assertNative(what) {
  const shownAt = await shownSquare();
  /** @type {typeof shownAt} */
  const square = JSON.parse(String(await visit.page.locator("#part-box").getAttribute("data-square")));
  for (const share of /** @type {const} */ (["left", "top", "side"])) {
    assert.ok(Math.abs(shownAt[share] - square[share]) < 0.005, `${what}: ${share} ${square[share]} is shown at ${shownAt[share]}`);
  }
  const [expected] = native([join(folder, "drawn.jpg")], square);
  const shown = await answers(visit.page);
  assert.deepEqual(shown.map(({ id }) => id), expected.predictions.map(({ id }) => id), what);
  for (const [place, { probability }] of expected.predictions.entries()) {
    assert.ok(Math.abs(shown[place].probability - probability) < 0.0005, `${what}: ${shown[place].probability}, natively ${probability}`);
  }
  return { square, shown };
}

/** Makes a change and waits for its answer. @param {() => Promise<void>} change */
async function answered(change) {
  await visit.page.evaluate(() => (/** @type {HTMLElement} */ (document.querySelector("#took")).textContent = ""));
  await change();
  await visit.page.waitForFunction(() => document.querySelector("#took")?.textContent && document.documentElement.dataset.state === "done");
}

test("the square begins as what the network saw, and is moved by the pointer", { skip: noBinary }, async () => {
  const whole = await classify(visit.page, photo);
  await visit.page.waitForSelector("[data-photo=shown]");
  await toggle().click();
  const begin = await shownSquare();
  assert.ok(Math.abs(begin.side - seen.size / seen.resize) < 0.005, `${begin.side}`);
  assert.ok(Math.abs(begin.left + (begin.side * 0.8) / 2 - 0.5) < 0.005, "in the middle of 1000 x 800");

  const corner = await visit.page.locator("#part-corner").boundingBox();
  assert.ok(corner);
  await answered(async () => {
    await visit.page.mouse.move(corner.x + 10, corner.y + 10);
    await visit.page.mouse.down();
    await visit.page.mouse.move(corner.x - 90, corner.y - 90, { steps: 4 });
    await visit.page.mouse.up();
  });
  const smaller = await assertNative("after the corner was dragged");
  assert.ok(smaller.square.side < begin.side - 0.1);
  assert.notDeepEqual(smaller.shown, whole);

  const box = await visit.page.locator("#part-box").boundingBox();
  assert.ok(box);
  await answered(async () => {
    await visit.page.mouse.move(box.x + 40, box.y + 40);
    await visit.page.mouse.down();
    await visit.page.mouse.move(box.x + 40 + 60, box.y + 40 - 30, { steps: 4 });
    await visit.page.mouse.up();
  });
  const moved = await assertNative("after the square was dragged");
  assert.ok(moved.square.left > smaller.square.left + 0.02 && moved.square.top < smaller.square.top);
  await assertNothingFound(visit.page, "with a part");
});

test("the arrow keys move and resize it, and it stays inside the photo", { skip: noBinary }, async () => {
  await visit.page.locator("#part-move").focus();
  await answered(async () => {
    for (let i = 0; i < 40; i++) await visit.page.keyboard.press("ArrowLeft");
  });
  const { square } = await assertNative("at the left edge");
  assert.ok(Math.abs(square.left) < 0.003, `${square.left}`);
  await visit.page.keyboard.press("Tab");
  assert.equal(await visit.page.evaluate(() => document.activeElement?.id), "part-corner");
  await answered(async () => {
    for (let i = 0; i < 40; i++) await visit.page.keyboard.press("ArrowDown");
  });
  const largest = await assertNative("as large as the photo");
  assert.ok(Math.abs(largest.square.side - 1) < 0.003);
});

test("without the part the middle counts again, and the heat lies where the network looked", async () => {
  const whole = await classify(visit.page, photo); // another photo: no part
  assert.ok(await visit.page.locator("#part").isHidden());
  await toggle().click();
  await visit.page.locator("#part-corner").focus();
  await answered(() => visit.page.keyboard.press("ArrowUp"));
  await visit.page.getByRole("button", { name: "Where it looked" }).click();
  const [heat, box] = await visit.page.evaluate(() => ["#heat", "#part-box"].map((id) => {
    const { left, top, width } = /** @type {HTMLElement} */ (document.querySelector(id)).getBoundingClientRect();
    return { left, top, width };
  }));
  for (const side of /** @type {const} */ (["left", "top", "width"])) assert.ok(Math.abs(heat[side] - box[side]) < 1.5, side);
  await visit.page.getByRole("button", { name: "Where it looked" }).click();
  await answered(() => toggle().click());
  assert.deepEqual(await answers(visit.page), whole);
});
