// @ts-check
// What a file of page tests shares: one browser and one drawn photo, there before its first test, and
// hosts; all end with its last one.

import { after } from "node:test";
import { launch } from "./browser.mjs";
import { drawPicture } from "./drawn_picture.mjs";
import { serve } from "./server.mjs";

export const browser = await launch();
export const photo = { name: "drawn.jpg", mimeType: "image/jpeg", buffer: await drawPicture(browser) };
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
