// @ts-check
// The two builds of ONNX Runtime that lie in a site's folder: one for the processor, and a larger one that reaches the
// graphics card, which only those visitors fetch who ask for it (graphics_card.js).

/**
 * @typedef {object} Runtime
 * @property {string} script  what is imported
 * @property {string} loader  what that imports
 * @property {string} wasm    as it lies in the folder, gzipped
 * @property {"wasm" | "webgpu"} provider
 */

/** @type {Runtime} */
export const onProcessor = {
  script: "vendor/ort.wasm.min.mjs",
  loader: "vendor/ort-wasm-simd-threaded.mjs",
  wasm: "vendor/ort-wasm-simd-threaded.wasm.gz",
  provider: "wasm",
};

/** @type {Runtime} */
export const onCard = {
  script: "vendor/ort.jspi.min.mjs",
  loader: "vendor/ort-wasm-simd-threaded.jspi.mjs",
  wasm: "vendor/ort-wasm-simd-threaded.jspi.wasm.gz",
  provider: "webgpu",
};

/** Whether there is a card, in a browser where wasm can wait for it (JSPI). */
export async function cardIsThere() {
  if (!("Suspending" in WebAssembly) || !navigator.gpu) return false;
  return (await navigator.gpu.requestAdapter().catch(() => null)) !== null;
}
