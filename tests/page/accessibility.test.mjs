// @ts-check
// For everyone: axe-core finds nothing to complain of in any state, in both themes and languages;
// nothing on the page jumps while it loads and answers; and nothing moves for those who asked for calm.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { assertNothingFound } from "./axe.mjs";
import { classify, open, waitForState } from "./browser.mjs";
import { site } from "./environment.mjs";
import { drawPicture } from "./drawn_picture.mjs";
import { browser, hosting, photo } from "./fixture.mjs";

const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1200, height: 800 } };
const letter = { name: "letter.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no picture") };

/** @type {Awaited<ReturnType<typeof hosting>>} */
let host;
/** A plain grey picture. @type {{name: string, mimeType: string, buffer: Buffer}} */
let nothing;
before(async () => {
  host = await hosting(site, { pause: 20 });
  nothing = { name: "grey.jpg", mimeType: "image/jpeg", buffer: await drawPicture(browser, "contrast(0)") };
});

for (const [size, viewport] of Object.entries(sizes)) {
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    test(`axe-core finds nothing: ${size}, ${colorScheme}`, async () => {
      const locale = size === "phone" ? "fr-FR" : "en-GB";
      const { page, close } = await open(browser, host.address, { viewport, colorScheme, locale, reducedMotion: "reduce" });
      await assertNothingFound(page, "loading");
      await waitForState(page, "ready");
      await assertNothingFound(page, "ready");
      await classify(page, photo);
      await page.waitForSelector("[data-photo=shown]");
      await assertNothingFound(page, "done");
      await classify(page, nothing);
      assert.equal(await page.locator('[data-verdict="none"]').count(), 1);
      await assertNothingFound(page, "no dog");
      await page.locator(".breeds summary").click();
      await page.setInputFiles("#photo", [photo, letter, photo]);
      await page.waitForSelector("#many-progress[data-full]", { state: "attached" });
      await assertNothingFound(page, "many");
      await classify(page, letter);
      await assertNothingFound(page, "error");
      await close();
    });
  }
}

for (const [size, viewport] of Object.entries(sizes)) {
  for (const locale of ["en-GB", "fr-FR"]) {
    test(`nothing jumps while the page loads and answers, and nothing moves: ${size}, ${locale}`, async () => {
      const { page, close } = await open(browser, "about:blank", { viewport, locale, reducedMotion: "reduce" });
      await page.addInitScript(() => {
        /** @type {{value: number, what: string}[]} */
        const shifts = [];
        Reflect.set(window, "shifts", shifts);
        new PerformanceObserver((list) => {
          for (const entry of /** @type {any[]} */ (list.getEntries())) {
            shifts.push({ value: entry.value, what: entry.sources.map((/** @type {any} */ source) => source.node?.outerHTML?.slice(0, 80)).join() });
          }
        }).observe({ type: "layout-shift", buffered: true });
      });
      const assertCalm = async (/** @type {number} */ limit) => {
        await page.waitForTimeout(200);
        /** @type {{value: number, what: string}[]} */
        const shifts = await page.evaluate(() => Reflect.get(window, "shifts").splice(0));
        const total = shifts.reduce((sum, { value }) => sum + value, 0);
        assert.ok(total < limit, `a layout shift of ${total}: ${JSON.stringify(shifts, null, 1)}`);
      };
      await page.goto(host.address);
      await waitForState(page, "ready");
      await assertCalm(locale === "fr-FR" ? 0.03 : 0.01); // drawn once in English, until its script is there

      await classify(page, photo);
      await page.waitForSelector("[data-photo=shown]"); // at the first photo the button goes to the corner
      await page.waitForTimeout(200);
      await page.evaluate(() => Reflect.get(window, "shifts").splice(0));
      await classify(page, photo);
      await assertCalm(0.01);
      assert.deepEqual(await page.evaluate(() => document.getAnimations().length), 0);
      await close();
    });
  }
}
