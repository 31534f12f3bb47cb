// @ts-check
// The page's end of the worker: starts it, starts it anew after a failure, and lets through only
// what the newest photo gets for an answer.

import { threadCount } from "./threads.js";

/** @typedef {{type: "photo", id: number, photo: Blob, top: number}} Photo */
/** @typedef {{type: "load", threads: number, fresh: boolean} | Photo} ToWorker */
/** @typedef {import("./preprocess.js").Prediction} Prediction */
/**
 * progress, in bytes; ready once; stored once, after that; answer or refused (the photo is at fault), one a photo;
 * failed: the worker is of no more use.
 * @typedef {{type: "progress", done: number, total: number}
 *   | {type: "ready", breeds: import("./breeds.js").Breed[]}
 *   | {type: "stored", state: "kept" | "full" | "refused", bytes: number}
 *   | {type: "answer", id: number, predictions: Prediction[], milliseconds: number}
 *   | ({type: "refused" | "failed", id?: number} & import("./failure.js").Told)} FromWorker
 */

export class WorkerClient {
  /** @type {Worker | undefined} */
  #worker;
  #id = 0;
  #tell;

  /** @param {(message: FromWorker) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /**
   * A failed worker is never reused: ONNX Runtime starts once in a worker's life.
   * @param {boolean} fresh  fetch past the browser's cache
   */
  start(fresh) {
    this.#worker?.terminate();
    const worker = new Worker(new URL("../worker.js", import.meta.url), { type: "module" });
    this.#worker = worker;
    worker.onmessage = (event) => this.#receive(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#receive({
        type: "failed",
        kind: "no_worker",
        message: "The page could not start its worker. Check the connection, then try again.",
      });
    };
    this.#send({ type: "load", threads: threadCount(), fresh });
  }

  /**
   * Replaces whatever photo is still being looked at.
   * @param {Blob} photo
   * @param {number} top  how many answers
   */
  ask(photo, top) {
    this.#send({ type: "photo", id: ++this.#id, photo, top });
  }

  /** Lets no answer through for what was asked so far. */
  forget() {
    this.#id++;
  }

  /** @param {ToWorker} message */
  #send(message) {
    this.#worker?.postMessage(message);
  }

  /** @param {FromWorker} message */
  #receive(message) {
    if (message.type === "failed") {
      this.#worker?.terminate();
      this.#worker = undefined;
    } else if ((message.type === "answer" || message.type === "refused") && message.id !== this.#id) {
      return; // a newer photo has taken its place
    }
    this.#tell(message);
  }
}
