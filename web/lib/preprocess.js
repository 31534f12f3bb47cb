// @ts-check
// The C++ preprocessing (shared/), compiled to WebAssembly: from a photo's bytes to the tensor,
// and from logits to named breeds. The same source runs in the trainer and in `ouaf predict`.
//
//   const preprocessor = await createPreprocessor({ root, wasmBinary, modelText });
//   const { tensor, width, height } = preprocessor.prepare(bytes);

import { Failure } from "./failure.js";
import { importFrom } from "./site.js";

/**
 * What the compiled module offers. Pointers are byte offsets into its memory.
 * @typedef {object} Wasm
 * @property {(json: number) => number} _ouaf_open
 * @property {(bytes: number, size: number) => number} _ouaf_preprocess
 * @property {(bytes: number, size: number, left: number, top: number, side: number) => number} _ouaf_preprocess_square
 * @property {() => number} _ouaf_tensor
 * @property {() => number} _ouaf_tensor_size  in floats
 * @property {() => number} _ouaf_photo_width
 * @property {() => number} _ouaf_photo_height
 * @property {(logits: number, count: number, top: number) => number} _ouaf_answer
 * @property {() => number} _ouaf_golden
 * @property {(logits: number, count: number) => number} _ouaf_check_golden
 * @property {() => number} _ouaf_error_kind
 * @property {() => number} _ouaf_error_message
 * @property {(size: number) => number} _malloc
 * @property {(pointer: number) => void} _free
 * @property {Uint8Array} HEAPU8
 * @property {Float32Array} HEAPF32
 * @property {(pointer: number) => string} UTF8ToString
 */

/**
 * @typedef {object} Prediction
 * @property {string} id
 * @property {string} name
 * @property {number} probability  0..1
 */

/**
 * @typedef {object} Answer
 * @property {"sure" | "unsure" | "none"} verdict  none: the photo shows nothing that the model knows
 * @property {Prediction[]} predictions  the most likely first
 */

/**
 * A part of a photo, as shared/preprocess/preprocess.hpp has it.
 * @typedef {object} Square
 * @property {number} left  share of the photo's width
 * @property {number} top   share of its height
 * @property {number} side  share of its shorter side
 */

/**
 * @typedef {object} Prepared
 * @property {Float32Array<ArrayBuffer>} tensor  1x3xSxS, RGB, normalised
 * @property {number} width   of the photo as it is meant to be seen (EXIF orientation applied)
 * @property {number} height
 */

/**
 * @param {object} options
 * @param {URL} options.root
 * @param {Uint8Array<ArrayBuffer>} options.wasmBinary
 * @param {string} options.modelText
 */
export async function createPreprocessor({ root, wasmBinary, modelText }) {
  const { default: factory } = await importFrom(root, "preprocess.mjs");
  return new Preprocessor(await factory({ wasmBinary }), modelText);
}

export class Preprocessor {
  #wasm;

  /**
   * @param {Wasm} wasm
   * @param {string} modelText
   */
  constructor(wasm, modelText) {
    this.#wasm = wasm;
    const json = new TextEncoder().encode(`${modelText}\0`);
    this.#withCopy(json, (pointer) => this.#check(wasm._ouaf_open(pointer)));
  }

  /**
   * @param {Uint8Array} photo  an encoded picture: JPEG, PNG, WebP or BMP
   * @param {Square} [square]   the part to look at; the middle without
   * @returns {Prepared}
   */
  prepare(photo, square) {
    const { _ouaf_preprocess: middle, _ouaf_preprocess_square: part } = this.#wasm;
    this.#withCopy(photo, (pointer) =>
      this.#check(square ? part(pointer, photo.length, square.left, square.top, square.side) : middle(pointer, photo.length)),
    );
    return this.#prepared();
  }

  /**
   * The bundle's own test picture, prepared like a photo.
   * @returns {Prepared}
   */
  prepareGolden() {
    this.#check(this.#wasm._ouaf_golden());
    return this.#prepared();
  }

  /**
   * Throws wrong_result where this device computes something else than the bundle says.
   * @param {Float32Array} logits  of the golden picture
   */
  checkGolden(logits) {
    this.#withCopy(bytesOf(logits), (pointer) => this.#check(this.#wasm._ouaf_check_golden(pointer, logits.length)));
  }

  /**
   * @param {Float32Array} logits
   * @param {number} top  how many
   * @returns {Answer}
   */
  answer(logits, top) {
    return this.#withCopy(bytesOf(logits), (pointer) => {
      const json = this.#wasm._ouaf_answer(pointer, logits.length, top);
      if (!json) this.#check(1);
      return JSON.parse(this.#wasm.UTF8ToString(json));
    });
  }

  /** @returns {Prepared} */
  #prepared() {
    const wasm = this.#wasm;
    const start = wasm._ouaf_tensor() / 4;
    return {
      // A copy: a view into wasm's memory dies when the memory grows.
      tensor: new Float32Array(wasm.HEAPF32.subarray(start, start + wasm._ouaf_tensor_size())),
      width: wasm._ouaf_photo_width(),
      height: wasm._ouaf_photo_height(),
    };
  }

  /**
   * Lends a copy of the bytes inside wasm's memory for the time of a call.
   * @template T
   * @param {Uint8Array} bytes
   * @param {(pointer: number) => T} use
   * @returns {T}
   */
  #withCopy(bytes, use) {
    const pointer = this.#wasm._malloc(Math.max(1, bytes.length));
    if (!pointer) throw new Failure("out_of_memory", "There is not enough memory for this photo. Try a smaller one.");
    try {
      this.#wasm.HEAPU8.set(bytes, pointer);
      return use(pointer);
    } finally {
      this.#wasm._free(pointer);
    }
  }

  /** @param {number} status */
  #check(status) {
    if (status === 0) return;
    const { _ouaf_error_kind: kind, _ouaf_error_message: message, UTF8ToString: text } = this.#wasm;
    throw new Failure(text(kind()), text(message()));
  }
}

/** @param {Float32Array} floats */
function bytesOf(floats) {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}
