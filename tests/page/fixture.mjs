// @ts-check
// What a file of page tests shares: one browser and one drawn photo, there before its first test, and
// hosts; all end with its last one.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after } from "node:test";
import { launch } from "./browser.mjs";
import { drawPicture } from "./drawn_picture.mjs";
import { site } from "./environment.mjs";
import { serve } from "./server.mjs";

export const browser = await launch();
export const photo = { name: "drawn.jpg", mimeType: "image/jpeg", buffer: await drawPicture(browser) };
const { input, preprocess } = JSON.parse(await readFile(join(site, "model", "model.json"), "utf8"));
/** What the page's network sees: a square of `size` pixels of a photo whose shorter side is made `resize`. */
export const seen = { size: /** @type {number} */ (input.size), resize: /** @type {number} */ (preprocess.resize) };
/** @type {{close(): void}[]} */
const hosts = [];
after(async () => {
  await browser.close();
  for (const host of hosts) host.close();
});

/** Serves, and stops serving, whatever comes between. @type {typeof serve} */
export const hosting = async (...options) => {
  const host = await serve(...options);
  hosts.push(host);
  return host;
};
