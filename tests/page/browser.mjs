// @ts-check
// Debian's chromium with the page open in it, and a record of all that must not happen.

import { fromNodeModules } from "./environment.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Browser} Browser */
/** @typedef {{id: string, name: string, probability: number, shown: string}} Shown */

/**
 * How chromium is started: without a word to anyone but this machine.
 * @param {string[]} [flags]  more of chromium's
 */
export function settings(flags = []) {
  return {
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      ...flags,
    ],
  };
}

/**
 * @param {string[]} [flags]  more of chromium's
 * @returns {Promise<Browser>}
 */
export function launch(flags = []) {
  return fromNodeModules("playwright-core").chromium.launch(settings(flags));
}

/**
 * @param {Browser} browser
 * @param {string} address
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function open(browser, address, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  /** @type {string[]} every address asked for, by the page and its workers */
  const requests = [];
  /** @type {string[]} console errors and warnings, uncaught errors, policy violations */
  const complaints = [];
  context.on("request", (request) => requests.push(request.url()));
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  await page.exposeBinding("reportViolation", (_, text) => complaints.push(text));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      const report = /** @type {(text: string) => void} */ (Reflect.get(window, "reportViolation"));
      report(`${event.violatedDirective}: ${event.blockedURI}`);
    });
  });
  await page.goto(address);
  return { page, requests, complaints, close: () => context.close() };
}

/**
 * @param {Page} page
 * @param {...string} states
 */
export async function waitForState(page, ...states) {
  await page.waitForFunction((wanted) => wanted.includes(document.documentElement.dataset.state ?? ""), states);
}

/**
 * Gives the page a photo and waits until it has made up its mind.
 * @param {Page} page
 * @param {string | {name: string, mimeType: string, buffer: Buffer}} photo
 * @returns {Promise<Shown[]>}
 */
export async function classify(page, photo) {
  await page.setInputFiles("#photo", photo);
  await waitForState(page, "done", "error");
  return answers(page);
}

/**
 * @param {Page} page
 * @returns {Promise<Shown[]>}
 */
export function answers(page) {
  return page.locator("[data-prediction]").evaluateAll((items) =>
    items.map((item) => {
      const { id = "", probability } = /** @type {HTMLElement} */ (item).dataset;
      const text = (/** @type {string} */ part) => item.querySelector(part)?.textContent ?? "";
      return { id, name: text(".name"), probability: Number(probability), shown: text(".share") };
    }),
  );
}

/** @param {Page} page */
export function alertText(page) {
  return page.getByRole("alert").innerText();
}
