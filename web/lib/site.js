// @ts-check
// Everything the classifier needs from the site's folder: site.json says what there is, and how
// many bytes, so that progress over all files is honest from the first byte on.

import { download, downloadJson, renew } from "./download.js";
import { Failure } from "./failure.js";
import { onCard, onProcessor } from "./runtimes.js";
import { hashOf, keep, kept } from "./store.js";

/**
 * The parts of model.json that this side reads; the C++ side reads the rest from the same text.
 * @typedef {object} ModelInfo
 * @property {string} name
 * @property {string} version
 * @property {string} file
 * @property {string} sha256  of that file
 * @property {{name: string, size: number}} input
 * @property {{resize?: number}} [preprocess]
 * @property {{logits: string, activation_map?: string}} outputs
 * @property {import("./breeds.js").Breed[]} classes
 */

/**
 * @typedef {object} Site
 * @property {ModelInfo} model
 * @property {string} modelText                    model.json as it came
 * @property {Uint8Array<ArrayBuffer>} weights     the ONNX file
 * @property {import("./runtimes.js").Runtime} runtime
 * @property {Uint8Array<ArrayBuffer>} binary      its wasm
 * @property {Uint8Array<ArrayBuffer>} preprocess  our own wasm
 * @property {string[]} examples                   paths of photos to try, relative to the site's folder
 * @property {Card | undefined} card
 * @property {() => Promise<{state: import("./store.js").State, bytes: number}>} keep
 *   stores what was fetched for the next visit; how much is stored then
 */

/**
 * What the site has for graphics cards.
 * @typedef {object} Card
 * @property {string} key      names this version of the network and of both runtimes
 * @property {number} bytes    to be fetched, at most
 * @property {string[]} files  the hashes of what is stored
 * @property {boolean} used    for this visit's answers
 */

/**
 * How much of one of the three kinds of downloads has come.
 * @typedef {{what: "network" | "runtime" | "preprocessing", done: number, total: number}} PartProgress  in bytes
 * @typedef {(done: number, total: number, parts: PartProgress[]) => void} OnProgress  bytes of all, then of each
 */

const preprocessPath = "preprocess.wasm.gz";

/** @param {string} path @returns {PartProgress["what"]} */
const whatIs = (path) => (path.startsWith("vendor/") ? "runtime" : path === preprocessPath ? "preprocessing" : "network");

/**
 * @param {URL} root  the site's folder, ending in a slash
 * @param {object} options
 * @param {boolean} options.fresh  past the browser's cache: a retry must not meet the same broken file
 * @param {string} [options.card]  the key of what the graphics card is to be used for; anything else gets the processor
 * @param {OnProgress} options.onProgress
 * @returns {Promise<Site>}
 */
export async function fetchSite(root, { fresh, card, onProgress }) {
  checkBrowser();
  // site.json and model.json name the other files: always ask whether they are still the newest.
  const small = fresh ? "reload" : "no-cache";
  const large = fresh ? "reload" : "default";

  // What the graphics card needs is checked by its hash before it is imported (createModel does that).
  const scripts = ["preprocess.mjs", ...(card ? [] : [onProcessor.script, onProcessor.loader])];
  // A module cannot be imported past the cache, but the cache can be made to hold a new one.
  if (fresh) await Promise.all(scripts.map((path) => renew(new URL(path, root), path)));
  // They come beside the downloads, not after them. Whoever needs one imports it again, and says what is wrong with it.
  for (const path of scripts) importFrom(root, path).catch(() => {});

  const { value: contents } = await downloadJson(new URL("site.json", root), "site.json", small);
  if (contents.format !== 1) {
    throw new Failure("newer", "This site is newer than the page in your browser's cache. Load the page again.");
  }
  /** @type {{downloads: import("./download.js").Part[], graphics_card?: import("./download.js").Part[]}} */
  const { downloads, graphics_card: forCard = [] } = contents;
  const listed = [...downloads, ...forCard];
  const key = listed.filter(({ path }) => path !== preprocessPath).map(({ sha256 }) => sha256).sort().join(" ");
  const runtime = card === key ? onCard : onProcessor;
  const parts = runtime === onCard ? listed.filter(({ path }) => path !== onProcessor.wasm) : downloads;
  const progress = parts.map(({ path, bytes }) => ({ what: whatIs(path), done: 0, total: bytes }));
  const report = () => onProgress(sumOf(progress, "done"), sumOf(progress, "total"), byKind(progress));
  report();

  const [manifest, ...files] = await Promise.all([
    downloadJson(new URL(contents.model, root), contents.model, small),
    ...parts.map((part, index) =>
      obtain(root, part, large, (bytes) => {
        progress[index].done = Math.max(progress[index].done, bytes); // a file fetched again does not turn progress back
        report();
      }),
    ),
  ]);
  const file = (/** @type {string} */ path) => {
    const index = parts.findIndex((part) => part.path === path);
    if (index < 0) throw new Failure("unlisted", `This site is not complete: site.json does not list ${path}.`, { path });
    return /** @type {Uint8Array<ArrayBuffer>} */ (files[index]);
  };
  /** @type {ModelInfo} */
  const model = manifest.value;
  const folder = contents.model.slice(0, contents.model.lastIndexOf("/") + 1);
  return {
    model,
    modelText: manifest.text,
    weights: file(`${folder}${model.file}.gz`),
    runtime,
    binary: file(runtime.wasm),
    preprocess: file(preprocessPath),
    examples: contents.examples ?? [],
    card: forCard.length
      ? { key, bytes: sumOf(forCard, "bytes"), files: forCard.map(({ sha256 }) => sha256), used: runtime === onCard }
      : undefined,
    async keep() {
      const fetched = new Map(parts.map((part, index) => [part.sha256, files[index]]));
      const { state, there } = await keep(root, fetched, listed.map(({ sha256 }) => sha256));
      return { state, bytes: sumOf(listed.filter(({ sha256 }) => there.has(sha256)), "inflated") };
    },
  };
}

/**
 * @template {string} Name
 * @param {Record<Name, number>[]} list
 * @param {Name} name
 */
const sumOf = (list, name) => list.reduce((sum, each) => sum + each[name], 0);

/**
 * A runtime may be several files.
 * @param {PartProgress[]} progress
 * @returns {PartProgress[]}
 */
function byKind(progress) {
  return [...new Set(progress.map(({ what }) => what))].map((kind) => {
    const files = progress.filter(({ what }) => what === kind);
    return { what: kind, done: sumOf(files, "done"), total: sumOf(files, "total") };
  });
}

/** The smallest module that uses a vector: one function that returns i8x16.splat of 0. */
const vectors = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 8, 1, 6, 0, 0x41, 0, 0xfd, 0x0f, 0x0b,
]);

function checkBrowser() {
  if (typeof WebAssembly === "undefined") {
    throw new Failure("no_wasm", "WebAssembly is switched off in this browser (a lockdown mode may do that), or it is too old. The model cannot run without.");
  }
  if (typeof DecompressionStream === "undefined" || !WebAssembly.validate(vectors)) {
    throw new Failure("no_simd", "This browser is too old to run the model (it has no WebAssembly SIMD). A browser of the last few years can.");
  }
}

/**
 * A large file, from this device or from the host; what does not match its hash is fetched once
 * more, past all caches, before anything is said.
 * @param {URL} root
 * @param {import("./download.js").Part} part
 * @param {RequestCache} cache
 * @param {(bytes: number) => void} onBytes
 */
async function obtain(root, part, cache, onBytes) {
  const found = await kept(root, part.sha256);
  if (found) {
    onBytes(part.bytes);
    return found;
  }
  try {
    return await downloadChecked(root, part, cache, onBytes);
  } catch (error) {
    if (cache === "reload") throw error;
    return downloadChecked(root, part, "reload", onBytes);
  }
}

/**
 * @param {URL} root
 * @param {import("./download.js").Part} part
 * @param {RequestCache} cache
 * @param {(bytes: number) => void} onBytes
 */
async function downloadChecked(root, part, cache, onBytes) {
  const bytes = await download(new URL(part.path, root), part, cache, onBytes);
  const hash = await hashOf(bytes);
  if (hash !== undefined && hash !== part.sha256) {
    throw new Failure("changed", `${part.path} arrived changed: it is not the file that this site lists. Load the page again; if it stays so, this site is not complete.`, { path: part.path });
  }
  return bytes;
}

/**
 * A script of the site, as a module. Its address is given, not written in an import statement,
 * so that a missing file ends in a message and not in a silent page.
 * @param {URL} root
 * @param {string} path
 */
export async function importFrom(root, path) {
  try {
    return await import(new URL(path, root).href);
  } catch {
    throw new Failure("unreachable", `The download failed (${path}). Check the connection, then try again.`, { path });
  }
}
