// @ts-check
// For other pages of the same host: the recogniser of a published site, without its page. The work is
// done in a worker, so the page around it stays free. Types are in the comments: TypeScript reads them.
//
//   import { load } from "./dogs/lib/ouaf.js";
//   const dogs = await load();
//   const { verdict, predictions } = await dogs.predict(photo);   // a File or Blob: JPEG, PNG, WebP or BMP
//   if (verdict !== "none") console.log(predictions[0].name.en, predictions[0].probability);
//
// docs/api.md says more.

import { Failure } from "./failure.js";
import { WorkerClient } from "./worker_client.js";

/**
 * @typedef {object} Prediction
 * @property {string} id                    stable: a WordNet id, or the name of a folder of photos
 * @property {Record<string, string>} name  by language; "en" is always among them
 * @property {number} probability           0 to 1
 *
 * @typedef {object} Answer
 * @property {"sure" | "unsure" | "none"} verdict  none: the photo shows nothing that the model knows
 * @property {Prediction[]} predictions            the likeliest first
 *
 * @typedef {object} Recogniser
 * @property {import("./breeds.js").Breed[]} classes  all that it knows
 * @property {(photo: Blob, options?: {top?: number}) => Promise<Answer>} predict
 *   three classes unless told; rejects with a Failure whose `kind` and `message` say why
 * @property {() => void} close  ends the worker and frees its memory
 */

/**
 * Fetches the model that was published with this module, or takes it from this device.
 * @param {object} [options]
 * @param {(done: number, total: number) => void} [options.onProgress]  in bytes
 * @returns {Promise<Recogniser>}  rejects with a Failure
 */
export function load({ onProgress = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    const worker = new WorkerClient((news) => {
      if (news.type === "progress") onProgress(news.done, news.total);
      else if (news.type === "failed") reject(failure(news));
      else if (news.type === "ready") resolve(recogniser(worker, news.breeds));
    });
    worker.start(false);
  });
}

/**
 * @param {WorkerClient} worker
 * @param {import("./breeds.js").Breed[]} classes
 * @returns {Recogniser}
 */
function recogniser(worker, classes) {
  const names = new Map(classes.map(({ id, name }) => [id, name]));
  return {
    classes,
    async predict(photo, { top = 3 } = {}) {
      const outcome = await worker.askQueued(photo, top);
      if (outcome.type !== "answer") throw failure(outcome);
      return {
        verdict: outcome.verdict,
        predictions: outcome.predictions.map(({ id, name, probability }) => ({ id, name: names.get(id) ?? { en: name }, probability })),
      };
    },
    close: () => worker.stop(),
  };
}

/** @param {import("./failure.js").Told} told */
const failure = ({ kind, message, values }) => new Failure(kind, message, values);
