// A bare page of onnxruntime-web: the package's main entry, a session with its defaults, and a canvas that makes the tensor.
// A photo that comes before the model waits for it. ?threads=2 asks for more threads than the library would take.

import * as ort from "./vendor/ort.bundle.min.mjs";

const size = 224;
const mean = [0.485, 0.456, 0.406];
const deviation = [0.229, 0.224, 0.225];

const page = document.documentElement;
const photo = document.querySelector("#photo");
photo.addEventListener("change", answer);
page.dataset.started = "";

const threads = Number(new URLSearchParams(location.search).get("threads"));
if (threads) ort.env.wasm.numThreads = threads;
const session = ort.InferenceSession.create("classifier.onnx");
session.then(() => {
  document.querySelector("#status").textContent = "Ready";
  if (page.dataset.state === "loading") page.dataset.state = "ready";
});

async function answer() {
  page.dataset.state = "busy";
  document.querySelector("#shown").src = URL.createObjectURL(photo.files[0]);
  const tensor = await prepare(photo.files[0]);
  const { logits } = await (await session).run({ pixel_values: tensor });
  const highest = Math.max(...logits.data);
  const powers = Array.from(logits.data, (logit) => Math.exp(logit - highest));
  const sum = powers.reduce((a, b) => a + b);
  const best = powers.map((power, place) => ({ place, share: power / sum })).sort((a, b) => b.share - a.share);
  const lines = best.slice(0, 3).map(({ place, share }) => {
    const line = document.createElement("li");
    line.textContent = `class ${place}: ${(100 * share).toFixed(1)} %`;
    return line;
  });
  document.querySelector("#answers").replaceChildren(...lines);
  page.dataset.state = "done";
}

async function prepare(file) {
  const picture = await createImageBitmap(file);
  const context = new OffscreenCanvas(size, size).getContext("2d", { willReadFrequently: true });
  const side = Math.min(picture.width, picture.height);
  context.drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, size, size);
  const { data } = context.getImageData(0, 0, size, size);
  const values = new Float32Array(3 * size * size);
  for (let place = 0; place < size * size; place++) {
    for (let channel = 0; channel < 3; channel++) {
      values[channel * size * size + place] = (data[4 * place + channel] / 255 - mean[channel]) / deviation[channel];
    }
  }
  return new ort.Tensor("float32", values, [1, 3, size, size]);
}
