// @ts-check
// The network: an ONNX Runtime Web session around the bundle's weights.
//
//   const model = await createModel({ root, runtime, binary, weights, info, threads: 1 });
//   const { logits, map } = await model.run(tensor);

import { Failure } from "./failure.js";
import { importFrom } from "./site.js";

/**
 * The little of onnxruntime-web that is used here.
 * @typedef {object} Session
 * @property {(feeds: Record<string, unknown>, fetches: string[]) => Promise<Record<string, {data: Float32Array<ArrayBuffer>, dims: number[]}>>} run
 */

/**
 * What each place of the photo's middle adds to each logit.
 * @typedef {object} ActivationMap
 * @property {Float32Array<ArrayBuffer>} values  class by class, row by row
 * @property {number} width
 * @property {number} height
 */

/**
 * @param {object} options
 * @param {URL} options.root
 * @param {import("./runtimes.js").Runtime} options.runtime
 * @param {Uint8Array<ArrayBuffer>} options.binary   its wasm
 * @param {Uint8Array<ArrayBuffer>} options.weights  the ONNX file
 * @param {import("./site.js").ModelInfo} options.info
 * @param {number} options.threads
 */
export async function createModel({ root, runtime, binary, weights, info, threads }) {
  const ort = await importFrom(root, runtime.script);
  ort.env.wasm.wasmBinary = binary;
  ort.env.wasm.wasmPaths = { mjs: new URL(runtime.loader, root).href };
  ort.env.wasm.numThreads = runtime.provider === "wasm" ? threads : 1; // the card leaves threads nothing to do
  /** @type {Session} */
  let session;
  try {
    session = await ort.InferenceSession.create(weights, {
      executionProviders: [runtime.provider],
      graphOptimizationLevel: "all",
      // The weights are int8 behind DequantizeLinear. This turns them to float once, now;
      // without it they stay int8 and are turned on every run.
      extra: { session: { disable_quant_qdq: "1" } },
    });
  } catch (error) {
    throw new Failure("no_session", `The model could not be started on this device (${firstLine(error)}).`, { reason: firstLine(error) });
  }
  ort.env.wasm.wasmBinary = undefined; // 14 MB that nobody needs any more
  return new Model(session, info, (tensor) => new ort.Tensor("float32", tensor, [1, 3, info.input.size, info.input.size]));
}

export class Model {
  /**
   * @param {Session} session
   * @param {import("./site.js").ModelInfo} info
   * @param {(tensor: Float32Array) => unknown} wrap
   */
  constructor(session, info, wrap) {
    this.session = session;
    this.input = info.input.name;
    this.outputs = info.outputs;
    this.wrap = wrap;
  }

  /**
   * @param {Float32Array} tensor  1x3xSxS
   * @returns {Promise<{logits: Float32Array<ArrayBuffer>, map: ActivationMap | undefined}>}
   */
  async run(tensor) {
    const { logits, activation_map: map } = this.outputs;
    const results = await this.session.run({ [this.input]: this.wrap(tensor) }, map ? [logits, map] : [logits]);
    if (!map) return { logits: results[logits].data, map: undefined };
    const [, , height, width] = results[map].dims;
    return { logits: results[logits].data, map: { values: results[map].data, width, height } };
  }
}

/** @param {unknown} error */
function firstLine(error) {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0];
}
