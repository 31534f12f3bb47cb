// A bare page of transformers.js: its pipeline, as its examples use it, with all files beside the page. A photo that
// comes before the model waits for it. ?threads=2 asks for more threads than the library would take.

const page = document.documentElement;
const photo = document.querySelector("#photo");
photo.addEventListener("change", answer);
page.dataset.started = "";

const classifier = load();
classifier.then(() => {
  document.querySelector("#status").textContent = "Ready";
  if (page.dataset.state === "loading") page.dataset.state = "ready";
});

async function load() {
  const { env, pipeline } = await import("./vendor/transformers.min.js");
  const vendor = new URL("vendor/", location.href).href;
  env.remoteHost = location.origin; // in place of the public hub
  env.remotePathTemplate = "models/{model}";
  env.backends.onnx.wasm.wasmPaths = {
    mjs: `${vendor}ort-wasm-simd-threaded.asyncify.mjs`,
    wasm: `${vendor}ort-wasm-simd-threaded.asyncify.wasm`,
  };
  const threads = Number(new URLSearchParams(location.search).get("threads"));
  if (threads) env.backends.onnx.wasm.numThreads = threads;
  return pipeline("image-classification", "classifier", { dtype: "fp32" });
}

async function answer() {
  page.dataset.state = "busy";
  const address = URL.createObjectURL(photo.files[0]);
  document.querySelector("#shown").src = address;
  const best = await (await classifier)(address, { top_k: 3 });
  const lines = best.map(({ label, score }) => {
    const line = document.createElement("li");
    line.textContent = `${label}: ${(100 * score).toFixed(1)} %`;
    return line;
  });
  document.querySelector("#answers").replaceChildren(...lines);
  page.dataset.state = "done";
}
