// @ts-check
// One contender in one fresh chromium profile after another: what its first visit costs, its second one, one without a
// network, and one over a mobile network.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { settings } from "../../tests/page/browser.mjs";
import { fromNodeModules } from "../../tests/page/environment.mjs";
import { fast4g, openLink } from "./link.mjs";
import { probe } from "./probe.mjs";

/** @typedef {import("playwright-core").BrowserContext} BrowserContext */
/** @typedef {import("./probe.mjs").Seen} Seen */
/** @typedef {Record<string, number>} Figures  by the names of the table's rows (page_peers.mjs) */

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {number} port                   where its server listens on this machine
 * @property {string} path
 * @property {"states" | "gradio"} page      see probe.mjs
 * @property {boolean} whole                 false: only what the number of threads changes
 */

const quiet = 3000; // after the page is ready: what it then fetches for later belongs to the visit
const predictions = 20;
const patience = 90_000;

/**
 * @param {Contender} contender
 * @param {string} photo  base64 of a JPEG
 * @returns {Promise<{figures: Figures, others: string[]}>}  and the other hosts that were asked
 */
export async function visitAll(contender, photo) {
  /** @type {Figures} */
  const figures = {};
  /** @type {Set<string>} */
  const others = new Set();

  await inFreshProfile(contender, {}, async (context, link) => {
    const address = link.address + contender.path;
    context.on("request", (request) => {
      const { protocol, host } = new URL(request.url());
      if (protocol.startsWith("http") && !link.address.includes(host)) others.add(host);
    });
    const seen = await visit(context, address, contender, { rest: quiet });
    Object.assign(figures, {
      bytes: link.received(),
      paint: seen.paint,
      largest: seen.largest,
      shift: seen.shift,
      blocked: seen.blocked,
      ready: seen.ready,
    });

    const second = await visit(context, address, contender, { photo, again: predictions });
    Object.assign(figures, { secondAnswer: second.answer, secondPrediction: second.prediction });
    if (!contender.whole) return;
    link.cut();
    figures.offline = await visit(context, address, contender, { photo }).then(() => 1, () => 0);
  });

  await inFreshProfile(contender, {}, async (context, link) => {
    const seen = await visit(context, link.address + contender.path, contender, { photo, again: predictions });
    Object.assign(figures, { answer: seen.answer, prediction: seen.prediction });
  });

  if (contender.whole) {
    await inFreshProfile(contender, { network: fast4g }, async (context, link) => {
      const seen = await visit(context, link.address + contender.path, contender, { photo });
      Object.assign(figures, { slowInput: seen.input, slowPaint: seen.paint, slowAnswer: seen.answer });
    });
  }
  return { figures, others: [...others] };
}

/**
 * @param {Contender} contender
 * @param {{network?: import("./link.mjs").Network}} how
 * @param {(context: BrowserContext, link: Awaited<ReturnType<typeof openLink>>) => Promise<void>} use
 */
async function inFreshProfile({ port }, how, use) {
  const folder = await mkdtemp(join(tmpdir(), "ouaf-profile-"));
  const link = await openLink(port, how);
  /** @type {BrowserContext} */
  const context = await fromNodeModules("playwright-core").chromium.launchPersistentContext(folder, {
    ...settings(),
    viewport: { width: 1280, height: 800 },
  });
  try {
    await use(context, link);
  } finally {
    await context.close();
    link.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * In a tab of its own. With a photo: until its answer, and of `again` further ones their median; without: until it is ready.
 * @param {BrowserContext} context
 * @param {string} address
 * @param {Contender} contender
 * @param {object} options
 * @param {string} [options.photo]
 * @param {number} [options.again]
 * @param {number} [options.rest]  how long it is watched after that
 * @returns {Promise<Seen & {prediction?: number}>}
 */
async function visit(context, address, contender, { photo, again = 0, rest = 0 }) {
  const page = await context.newPage();
  try {
    await page.addInitScript(probe, { page: contender.page, photo });
    await page.goto(address, { waitUntil: "commit" });
    const times = await within(patience, page.evaluate(watch, { given: photo !== undefined, again }));
    await wait(rest);
    const seen = await page.evaluate(() => /** @type {import("./probe.mjs").Probe} */ (Reflect.get(window, "probe")).seen);
    return { ...seen, prediction: times.length ? median(times) : undefined };
  } finally {
    await page.close();
  }
}

/**
 * Self-contained: runs in the page.
 * @param {{given: boolean, again: number}} options
 * @returns {Promise<number[]>}
 */
async function watch({ given, again }) {
  /** @type {import("./probe.mjs").Probe} */
  const probe = Reflect.get(window, "probe");
  await (given ? probe.answered : probe.ready);
  const times = [];
  for (let i = 0; i < again; i++) times.push(await probe.again());
  return times;
}

/** @template T @param {number} milliseconds @param {Promise<T>} promise @returns {Promise<T>} */
function within(milliseconds, promise) {
  return Promise.race([promise, wait(milliseconds, undefined, { ref: false }).then(() => Promise.reject(new Error("too slow")))]);
}

/** @param {number[]} list */
export function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
