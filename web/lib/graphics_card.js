// @ts-check
// Whether this device's graphics card answers faster than its processor: a trial, when the visitor asks for it, and its
// outcome, which is remembered for as long as the network and its runtimes stay the same.

import { Failure } from "./failure.js";
import { drop } from "./store.js";
import { WorkerClient } from "./worker_client.js";

/** @typedef {import("./site.js").Card} Card */
/**
 * @typedef {object} Outcome
 * @property {string} key        what was timed (site.js)
 * @property {number} card       milliseconds for a picture
 * @property {number} processor  the same
 */

const root = new URL("..", import.meta.url);
const remembered = `ouaf graphics card ${root.href}`; // several sites may share an origin

/** @param {Outcome} outcome */
export const cardIsFaster = ({ card, processor }) => card < processor;

/**
 * The card gets a worker of its own: whatever goes wrong there leaves the one that answers alone, and all that the
 * slower one took is free again when its worker ends.
 * @param {Card} card
 * @param {WorkerClient} processor
 * @param {(done: number, total: number) => void} onProgress  of the download, in bytes
 * @returns {Promise<{outcome: Outcome, faster?: {client: WorkerClient, bytes: number}}>}
 *   the card's client where it won, and how much is stored then; rejects with a Failure
 */
export async function tryCard({ key, files }, processor, onProgress) {
  /** @type {(bytes: number) => void} */
  let ready;
  /** @type {(failure: Failure) => void} */
  let fail;
  /** @type {Promise<number>} */
  const stored = new Promise((resolve, reject) => ([ready, fail] = [resolve, reject]));
  const client = new WorkerClient((news) => {
    if (news.type === "card_failed") {
      fail(new Failure(news.kind, news.message, news.values));
    } else if (news.type === "progress") {
      const runtime = news.parts.find(({ what }) => what === "runtime");
      if (runtime) onProgress(runtime.done, runtime.total);
    } else if (news.type === "stored") {
      if (!news.card?.used) fail(new Failure("newer", "This site is newer than the page in your browser's cache. Load the page again."));
      else if (news.state !== "kept") fail(new Failure("card_not_kept", "This device has no space left for what the graphics card needs."));
      else ready(news.bytes);
    }
  });
  try {
    client.start(false, key);
    const bytes = await stored;
    // One after the other: they would slow each other down.
    const outcome = { key, processor: await processor.time(), card: await client.time() };
    remember(outcome);
    if (cardIsFaster(outcome)) return { outcome, faster: { client, bytes } };
    await discard(client, files);
    return { outcome };
  } catch (failure) {
    await discard(client, files);
    throw failure;
  }
}

/**
 * @param {WorkerClient} client
 * @param {string[]} files
 */
async function discard(client, files) {
  client.stop();
  await drop(root, files);
}

/** @returns {Outcome | undefined} */
export function recallOutcome() {
  try {
    return JSON.parse(localStorage.getItem(remembered) ?? "null") ?? undefined;
  } catch {
    return undefined; // a window that stores nothing, or what is no outcome
  }
}

/** @param {Outcome} outcome */
function remember(outcome) {
  try {
    localStorage.setItem(remembered, JSON.stringify(outcome));
  } catch {
    // It lasts as long as this window.
  }
}

export function forgetOutcome() {
  try {
    localStorage.removeItem(remembered);
  } catch {
    // There was none.
  }
}
