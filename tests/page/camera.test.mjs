// @ts-check
// The camera: recognised live, kept by the shutter, let go of after; and what is said where there is
// none or the page may not use it. The browser's camera is a film of the drawn dog.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertNothingFound } from "./axe.mjs";
import { alertText, answers, launch, open, waitForState } from "./browser.mjs";
import { drawnBreeds } from "./drawn_picture.mjs";
import { site } from "./environment.mjs";
import { hosting, photo } from "./fixture.mjs";

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof hosting>>} */
let host;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ouaf-camera-"));
  const film = join(folder, "film.mjpeg");
  await writeFile(film, Buffer.concat([photo.buffer, photo.buffer]));
  browser = await launch(["--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${film}`]);
  host = await hosting(site);
});
after(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

test("what the camera sees is recognised live; the shutter keeps it as a photo", async () => {
  const { page, complaints, close } = await open(browser, host.address, { permissions: ["camera"] });
  await waitForState(page, "ready");
  await page.evaluate(() => {
    let times = 0;
    new MutationObserver(() => Reflect.set(window, "times", ++times)).observe(document.querySelector("#answers") ?? document, { childList: true });
  });
  await page.getByRole("button", { name: "Use the camera" }).click();
  await page.waitForFunction(() => Reflect.get(window, "times") >= 3);
  assert.ok(drawnBreeds.includes((await answers(page))[0].id));
  assert.equal(await page.locator("#spoken").innerText(), "", "no one can listen so fast");
  assert.ok(await page.getByRole("button", { name: "Other camera" }).isHidden(), "there is but one");

  await assertNothingFound(page, "camera");
  const tracks = await page.evaluateHandle(() => {
    const video = document.querySelector("video");
    return /** @type {MediaStream} */ (video?.srcObject).getTracks();
  });
  await page.getByRole("button", { name: "Take the photo" }).click();
  await page.waitForSelector("[data-photo=shown]");
  await waitForState(page, "done");
  assert.ok(drawnBreeds.includes((await answers(page))[0].id));
  assert.ok(await page.locator("#camera").isHidden());
  assert.deepEqual(await tracks.evaluate((list) => list.map(({ readyState }) => readyState)), ["ended"]);
  assert.deepEqual(complaints, []);
  await close();
});

test("a camera that is closed leaves nothing behind", async () => {
  const { page, close } = await open(browser, host.address, { permissions: ["camera"] });
  await waitForState(page, "ready");
  await page.getByRole("button", { name: "Use the camera" }).click();
  await waitForState(page, "done");
  await page.getByRole("button", { name: "Close", exact: true }).click();
  await waitForState(page, "ready");
  await page.waitForTimeout(300); // time for a late answer to do its harm
  assert.equal(await page.evaluate(() => document.documentElement.dataset.state), "ready");
  assert.deepEqual(await answers(page), []);
  await close();
});

for (const [what, name, message] of /** @type {const} */ ([
  ["may not use the camera", "NotAllowedError", /may not use the camera/],
  ["finds no camera", "NotFoundError", /No camera was found/],
  ["finds the camera in use", "NotReadableError", /another program/],
])) {
  test(`a page that ${what} says so`, async () => {
    const { page, close } = await open(browser, host.address);
    await waitForState(page, "ready");
    await page.evaluate((name) => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", name));
    }, name);
    await page.getByRole("button", { name: "Use the camera" }).click();
    await waitForState(page, "error");
    assert.match(await alertText(page), message);
    await close();
  });
}
