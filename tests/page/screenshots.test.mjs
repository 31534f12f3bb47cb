// @ts-check
// Pictures of the page in each state, phone and desktop, light and dark, to be looked at. The
// light desktop one is docs/page.png. They show a drawn dog, never a photo from a data set.
// Also checks what eyes would see at once: nothing wider than the screen, nothing jumping.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { classify, open, waitForState } from "./browser.mjs";
import { drawPicture } from "./drawn_picture.mjs";
import { screenshots, site } from "./environment.mjs";
import { browser, hosting, photo } from "./fixture.mjs";

const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1200, height: 800 } };

/** @type {Awaited<ReturnType<typeof hosting>>} */
let host;
/** @type {{name: string, mimeType: string, buffer: Buffer}[]} */
let others;

before(async () => {
  others = [];
  for (const filter of ["hue-rotate(120deg)", "contrast(0.5)", "sepia(1)"]) {
    others.push({ name: `${filter}.jpg`, mimeType: "image/jpeg", buffer: await drawPicture(browser, filter) });
  }
  host = await hosting(site, { pause: 60 });
  if (screenshots) await mkdir(screenshots, { recursive: true });
});

for (const [size, viewport] of Object.entries(sizes)) {
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    test(`${size}, ${colorScheme}`, async () => {
      const { page, close } = await open(browser, host.address, {
        viewport,
        colorScheme,
        deviceScaleFactor: 2,
        hasTouch: size === "phone",
        isMobile: size === "phone",
        reducedMotion: "reduce",
      });
      const shoot = async (/** @type {string} */ state, fullPage = false) => {
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= viewport.width, `${state}: the page is ${width} px wide on a screen of ${viewport.width}`);
        if (screenshots) await page.screenshot({ path: join(screenshots, `${size}-${colorScheme}-${state}.png`), fullPage });
      };
      const photoTop = async () => (await page.locator(".frame").boundingBox())?.y;

      await page.waitForFunction(() => (document.querySelector("progress")?.position ?? 0) > 0.35);
      const top = await photoTop();
      await shoot("loading");
      await waitForState(page, "ready");
      await shoot("ready");
      assert.equal(await photoTop(), top, "the page must not jump when the model is ready");

      await classify(page, photo); // the second time shows the time that it takes when warm
      const answers = await classify(page, photo);
      assert.equal(answers.length, 3);
      await page.waitForSelector("[data-photo=shown]");
      await shoot("done");
      await page.locator("#choose-part").click();
      await shoot("part");
      await page.locator("#choose-part").click();
      await waitForState(page, "done");

      await page.setInputFiles("#photo", [photo, ...others, photo, ...others]);
      await page.waitForSelector("#many-progress[data-full]", { state: "attached" });
      await page.locator(".breeds summary").click();
      await shoot("many", true);

      await page.locator(".breeds summary").click();
      await classify(page, { name: "notes.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no picture") });
      await shoot("error");
      await close();
    });
  }
}
