// @ts-check
// An empty page of the site's origin, in which a script of ours can use the site's own modules
// without the page around them: for parity and for timing.

import { launch } from "./browser.mjs";
import { serve } from "./server.mjs";

/**
 * A page with one file input (#given), `window.classifier` loaded from the site.
 * @param {string} site  a published folder
 */
export async function openClassifier(site) {
  const browser = await launch();
  const host = await serve(site);
  const page = await browser.newPage();
  const address = `${host.address}blank.html`;
  await page.route(address, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><input id=given type=file>" }));
  await page.goto(address);
  await page.evaluate(async (root) => {
    /** @type {typeof import("../../web/lib/classifier.js")} */
    const { load } = await import(`${root}lib/classifier.js`);
    const classifier = await load({ root: new URL(root), threads: 1, fresh: false, onProgress() {} });
    Reflect.set(window, "classifier", classifier);
  }, host.address);
  return {
    page,
    async close() {
      await browser.close();
      host.close();
    },
  };
}
