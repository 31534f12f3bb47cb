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
 * @typedef {object} Result
 * @property {import("./preprocess.js").Prediction[]} predictions  the most likely first
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
 * @param {(done: number, total: number) => void} options.onProgress  in bytes
 */
export async function load({ root, threads, fresh, onProgress }) {
  const site = await fetchSite(root, { fresh, onProgress });
  const preprocessor = await createPreprocessor({ root, wasmBinary: site.preprocess, modelText: site.modelText });
  const model = await createModel({ root, runtime: site.runtime, weights: site.weights, info: site.model, threads });
  preprocessor.checkGolden(await model.run(preprocessor.prepareGolden().tensor));
  return new Classifier(preprocessor, model, site);
}

export class Classifier {
  /**
   * @param {import("./preprocess.js").Preprocessor} preprocessor
   * @param {import("./model.js").Model} model
   * @param {import("./site.js").Site} site
   */
  constructor(preprocessor, model, { model: info, keep, bytes }) {
    this.preprocessor = preprocessor;
    this.model = model;
    this.info = info;
    this.keep = keep;
    this.bytes = bytes;
  }

  /**
   * @param {Uint8Array} photo  an encoded picture
   * @param {number} [top]      how many answers
   * @returns {Promise<Result>}
   */
  async predict(photo, top = 3) {
    const start = performance.now();
    const { tensor, width, height } = this.preprocessor.prepare(photo);
    const prepared = performance.now();
    const logits = await this.model.run(tensor);
    const modelMs = performance.now() - prepared;
    const predictions = this.preprocessor.rank(logits, top);
    return { predictions, logits, width, height, preprocessMs: prepared - start, modelMs };
  }
}
