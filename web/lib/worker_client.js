// @ts-check
// The page's end of the worker: starts it, starts it anew after a failure, and of single photos lets
// through only what the newest one gets for an answer. A batch's photos get each their own.

import { Failure } from "./failure.js";
import { threadCount } from "./threads.js";

/** @typedef {{type: "photo", id: number, photo: Blob, top: number, look: import("./classifier.js").Look, queued: boolean}} Photo */
/** @typedef {{type: "load", threads: number, fresh: boolean, card?: string}} Load */
/** @typedef {{type: "time"}} Time  how long does the network take? */
/** @typedef {Load | Photo | Time} ToWorker */
/** @typedef {import("./preprocess.js").Prediction} Prediction */
/** @typedef {import("./preprocess.js").Answer} Answer */
/** @typedef {import("./classifier.js").Heat} Heat */
/**
 * progress, in bytes; ready once; stored once, after that; answer or refused (the photo is at fault), one a photo;
 * failed: the worker is of no more use; card_failed: the same of one that used the graphics card (or would have): one that does
 * not may do, and gets the photos that have no answer yet.
 * @typedef {{type: "progress", done: number, total: number, parts: import("./site.js").PartProgress[]}
 *   | {type: "ready", breeds: import("./breeds.js").Breed[], examples: string[], model: import("./flags.js").Flag["model"]}
 *   | {type: "stored", state: import("./store.js").State, bytes: number, card?: import("./site.js").Card}
 *   | {type: "timed", milliseconds: number}
 *   | {type: "answer", id: number, verdict: Answer["verdict"], predictions: Prediction[], square: import("./preprocess.js").Square, heat?: Heat, milliseconds: number}
 *   | ({type: "card_failed"} & import("./failure.js").Told)
 *   | ({type: "refused" | "failed", id?: number} & import("./failure.js").Told)} FromWorker
 */

/** @typedef {Extract<FromWorker, {type: "answer" | "refused" | "failed"}>} Outcome */

export class WorkerClient {
  /** @type {Worker | undefined} */
  #worker;
  /** Whether this worker was started for the graphics card. */
  #onCard = false;
  #ids = 0;
  #newest = 0;
  /** @type {Map<number, {message: Photo, settle: (outcome: Outcome) => void}>} a batch's, without an answer yet */
  #queued = new Map();
  /** @type {{resolve: (milliseconds: number) => void, reject: (failure: Failure) => void} | undefined} of `time` */
  #timing;
  #tell;

  /** @param {(message: FromWorker) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /**
   * A failed worker is never reused: ONNX Runtime starts once in a worker's life.
   * @param {boolean} fresh  fetch past the browser's cache
   * @param {string} [card]  the key of what the graphics card is to be used for (site.js)
   */
  start(fresh, card) {
    const worker = new Worker(new URL("../worker.js", import.meta.url), { type: "module" });
    worker.postMessage({ type: "load", threads: threadCount(), fresh, card });
    this.#take(worker, card !== undefined);
  }

  /**
   * Goes on with another client's worker, which is ready, in place of its own.
   * @param {WorkerClient} other  is left without one
   */
  adopt(other) {
    const worker = other.#worker;
    other.#worker = undefined;
    if (worker) this.#take(worker, other.#onCard);
  }

  /** Ends the worker; photos without an answer get none. */
  stop() {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /**
   * @param {Worker} worker
   * @param {boolean} onCard
   */
  #take(worker, onCard) {
    this.#worker?.terminate();
    this.#worker = worker;
    this.#onCard = onCard;
    worker.onmessage = (event) => this.#receive(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#receive({
        type: "failed",
        kind: "no_worker",
        message: "The page could not start its worker. Check the connection, then try again.",
      });
    };
    for (const { message } of this.#queued.values()) this.#send(message);
  }

  /**
   * Replaces whatever photo is still being looked at.
   * @param {Blob} photo
   * @param {number} top  how many answers
   * @param {import("./classifier.js").Look} look
   */
  ask(photo, top, look) {
    this.#newest = ++this.#ids;
    this.#send({ type: "photo", id: this.#newest, photo, top, look, queued: false });
  }

  /**
   * One photo of a batch. Waits for the model, also through failures and new beginnings.
   * @param {Blob} photo
   * @param {number} top
   * @returns {Promise<Outcome>}
   */
  askQueued(photo, top) {
    /** @type {Photo} */
    const message = { type: "photo", id: ++this.#ids, photo, top, look: {}, queued: true };
    return new Promise((settle) => {
      this.#queued.set(message.id, { message, settle });
      this.#send(message);
    });
  }

  /**
   * How long the network takes for a picture, in milliseconds, after the photos that wait.
   * @returns {Promise<number>}  rejects with a Failure where the worker fails
   */
  time() {
    this.#send({ type: "time" });
    return new Promise((resolve, reject) => (this.#timing = { resolve, reject }));
  }

  /** Lets no answer through for what was asked so far. */
  forget() {
    this.#newest = ++this.#ids;
  }

  /** @param {ToWorker} message */
  #send(message) {
    this.#worker?.postMessage(message);
  }

  /** @param {FromWorker} message */
  #receive(message) {
    if (message.type === "timed") return this.#timing?.resolve(message.milliseconds);
    if (message.type === "failed") {
      this.stop();
      const { kind, message: text, values } = message;
      this.#timing?.reject(new Failure(kind, text, values));
      if (this.#onCard) return this.#tell({ type: "card_failed", kind, message: text, values });
    }
    if (message.type === "answer" || message.type === "refused" || message.type === "failed") {
      const queued = this.#queued.get(message.id ?? 0);
      if (queued) {
        this.#queued.delete(queued.message.id);
        queued.settle(message);
        if (message.type !== "failed") return;
      } else if (message.type !== "failed" && message.id !== this.#newest) {
        return; // a newer photo has taken its place
      }
    }
    this.#tell(message);
  }
}
