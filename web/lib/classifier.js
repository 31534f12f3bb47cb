// @ts-check
// A photo's bytes in, breeds out: preprocessing and network together, checked once against the
// bundle's golden picture. Knows no DOM and no worker, so a test or another page can use it too.
//
//   const classifier = await load({ root, threads: 1, fresh: false, onProgress() {} });
//   const { predictions } = await classifier.predict(bytes);

import { createModel } from "./model.js";
import { createPreprocessor } from "./preprocess.js";
import { fetchSite } from "./site.js";

/**
 * What each place of the square that was looked at says for the best class (above 0) or against it.
 * @typedef {object} Heat
 * @property {Float32Array<ArrayBuffer>} values  row by row
 * @property {number} width
 * @property {number} height
 */

/**
 * @typedef {object} Look
 * @property {boolean} [mirrored]  at the mirror image too: the mean of both logits counts
 * @property {import("./preprocess.js").Square} [square]  at this part; the middle without
 */

/**
 * @typedef {object} Result
 * @property {import("./preprocess.js").Answer["verdict"]} verdict
 * @property {import("./preprocess.js").Prediction[]} predictions  the most likely first
 * @property {import("./preprocess.js").Square} square  that was looked at
 * @property {Heat | undefined} heat  where the network looked; not every network can say
 * @property {Float32Array<ArrayBuffer>} logits  a class each, before the temperature
 * @property {number} width         of the photo, in pixels
 * @property {number} height
 * @property {number} preprocessMs  decoding, resizing, normalising
 * @property {number} modelMs
 */

/**
 * @param {object} options
 * @param {URL} options.root         the site's folder
 * @param {number} options.threads   see threads.js
 * @param {boolean} options.fresh    past the browser's cache
 * @param {string} [options.card]    see fetchSite
 * @param {import("./site.js").OnProgress} options.onProgress
 */
export async function load({ root, threads, fresh, card, onProgress }) {
  const site = await fetchSite(root, { fresh, card, onProgress });
  const preprocessor = await createPreprocessor({ root, wasmBinary: site.preprocess, modelText: site.modelText });
  const { runtime, binary, weights, model: info } = site;
  const model = await createModel({ root, runtime, binary, weights, info, threads });
  preprocessor.checkGolden((await model.run(preprocessor.prepareGolden().tensor)).logits);
  return new Classifier(preprocessor, model, site);
}

export class Classifier {
  /**
   * @param {import("./preprocess.js").Preprocessor} preprocessor
   * @param {import("./model.js").Model} model
   * @param {import("./site.js").Site} site
   */
  constructor(preprocessor, model, { model: info, examples, keep, card }) {
    this.preprocessor = preprocessor;
    this.model = model;
    this.info = info;
    this.examples = examples;
    this.keep = keep;
    this.card = card;
  }

  /**
   * @param {import("./model.js").ActivationMap} map
   * @param {string} id  of a class
   * @returns {Heat}
   */
  #heatOf({ values, width, height }, id) {
    const place = this.info.classes.findIndex((each) => each.id === id) * width * height;
    return { values: values.slice(place, place + width * height), width, height };
  }

  /**
   * The middle of a photo that the network sees.
   * @param {number} width
   * @param {number} height
   */
  #middle(width, height) {
    const { size } = this.info.input;
    const side = size / (this.info.preprocess?.resize ?? size);
    const pixels = side * Math.min(width, height);
    return { left: (1 - pixels / width) / 2, top: (1 - pixels / height) / 2, side };
  }

  /**
   * @param {Uint8Array} photo  an encoded picture
   * @param {number} [top]      how many answers
   * @param {Look} [look]
   * @returns {Promise<Result>}
   */
  async predict(photo, top = 3, { mirrored, square } = {}) {
    const start = performance.now();
    const { tensor, width, height } = this.preprocessor.prepare(photo, square);
    const prepared = performance.now();
    const { logits, map } = await this.model.run(tensor);
    if (mirrored) {
      const second = await this.model.run(mirrorImage(tensor, this.info.input.size));
      second.logits.forEach((value, place) => (logits[place] = (logits[place] + value) / 2));
    }
    const modelMs = performance.now() - prepared;
    const { verdict, predictions } = this.preprocessor.answer(logits, top);
    const heat = map && this.#heatOf(map, predictions[0].id);
    const seen = square ?? this.#middle(width, height);
    return { verdict, predictions, square: seen, heat, logits, width, height, preprocessMs: prepared - start, modelMs };
  }

  /**
   * How long the network takes for a picture, in milliseconds: the median of five runs, or of as many as begin within a
   * second. The check by the golden picture has warmed it up.
   */
  async time() {
    const { tensor } = this.preprocessor.prepareGolden();
    /** @type {number[]} */
    const times = [];
    const begin = performance.now();
    while (times.length < 5 && performance.now() - begin < 1000) {
      const start = performance.now();
      await this.model.run(tensor);
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[times.length >> 1];
  }
}

/**
 * @param {Float32Array<ArrayBuffer>} tensor  rows of `size` values
 * @param {number} size
 */
function mirrorImage(tensor, size) {
  const mirrored = tensor.slice();
  for (let start = 0; start < mirrored.length; start += size) mirrored.subarray(start, start + size).reverse();
  return mirrored;
}
