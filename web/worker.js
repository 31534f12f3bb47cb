// @ts-check
// Owns everything heavy: the downloads, both wasm modules and the network. Talks to the page in
// plain values (lib/worker_client.js lists them); of single photos it answers the newest only, of
// a batch each.

import { decodedByBrowser, isHeic } from "./lib/browser_decoder.js";
import { load } from "./lib/classifier.js";
import { Failure } from "./lib/failure.js";
import { cardIsThere } from "./lib/runtimes.js";

/** @typedef {import("./lib/worker_client.js").FromWorker} FromWorker */
/** @typedef {import("./lib/worker_client.js").Load} Load */
/** @typedef {import("./lib/worker_client.js").Photo} Photo */
/** @typedef {import("./lib/worker_client.js").Time} Time */

/** @type {import("./lib/classifier.js").Classifier | undefined} */
let classifier;
/** @type {Photo | undefined} */
let newest;
/** @type {(Photo | Time)[]} a batch's photos, each to be answered, and what else waits for the network */
const queue = [];
let running = false;

self.onmessage = (/** @type {MessageEvent<import("./lib/worker_client.js").ToWorker>} */ event) => {
  const message = event.data;
  if (message.type === "load") {
    start(message);
  } else {
    if (message.type === "time" || message.queued) queue.push(message);
    else newest = message;
    answerPhotos();
  }
};

/** @param {Load} asked */
async function start({ threads, fresh, card }) {
  try {
    classifier = await load({
      root: new URL(".", import.meta.url),
      threads,
      fresh,
      card,
      onProgress: (done, total, parts) => tell({ type: "progress", done, total, parts }),
    });
    const { name, version, sha256, classes } = classifier.info;
    tell({ type: "ready", breeds: classes, examples: classifier.examples, model: { name, version, sha256 } });
    answerPhotos(); // of a batch that began while the model was loading
    const stored = await classifier.keep();
    const usable = classifier.card?.used || (classifier.card && (await cardIsThere()));
    tell({ type: "stored", ...stored, card: usable ? classifier.card : undefined });
  } catch (error) {
    tell({ type: "failed", ...described(error) });
  }
}

/** One photo at a time, or a timing. The newest single one comes first: its visitor is waiting. */
async function answerPhotos() {
  if (running || !classifier) return;
  running = true;
  for (let next; (next = newest ?? queue.shift()); ) {
    if (next === newest) newest = undefined;
    try {
      if (next.type === "time") tell({ type: "timed", milliseconds: await classifier.time() });
      else await answer(classifier, next);
    } catch (error) {
      // After anything unforeseen (a trap in wasm, a card that was lost) the state in here cannot be trusted.
      const type = error instanceof Failure ? "refused" : "failed";
      tell({ type, id: next.type === "photo" ? next.id : undefined, ...described(error) });
    }
  }
  running = false;
}

/**
 * @param {import("./lib/classifier.js").Classifier} classifier
 * @param {Photo} asked
 */
async function answer(classifier, asked) {
  const begin = performance.now();
  const { verdict, predictions, square, heat } = await predict(classifier, asked);
  tell({ type: "answer", id: asked.id, verdict, predictions, square, heat, milliseconds: performance.now() - begin });
}

/**
 * @param {import("./lib/classifier.js").Classifier} classifier
 * @param {Photo} asked
 */
async function predict(classifier, { photo, top, look }) {
  try {
    return await classifier.predict(await read(photo), top, look);
  } catch (error) {
    if (!(error instanceof Failure && error.kind === "unsupported")) throw error;
    const decoded = await decodedByBrowser(photo);
    if (decoded) return classifier.predict(decoded, top, look);
    if (!(await isHeic(photo))) throw error;
    throw new Failure("heic", "This is a HEIC photo, as iPhones take them, and this browser can't read it. Safari can; or save it as JPEG and choose that (on the iPhone: Settings, Camera, Formats, Most Compatible).");
  }
}

/** @param {Blob} photo */
async function read(photo) {
  try {
    return new Uint8Array(await photo.arrayBuffer());
  } catch {
    throw new Failure("unreadable", "This file could not be read. Was it moved or changed? Choose it again.");
  }
}

/** @param {unknown} error */
function described(error) {
  if (error instanceof Failure) return { kind: error.kind, message: error.message, values: error.values };
  console.error(error); // the visitor gets a sentence; whoever opens the console gets the rest
  return { kind: "crashed", message: "Something broke inside the page. Try again." };
}

/** @param {FromWorker} message */
function tell(message) {
  self.postMessage(message);
}
