#!/usr/bin/env bash
# Makes what bench/page_peers.mjs compares ouaf's page with, all under build/peers/: the peers' packages (npm, PyPI), a
# float32 EfficientNet-B0 of 21 MB with random weights, and the two pages as folders. Wants ./run build before.
set -euo pipefail
cd "$(dirname "$0")/../.."
source cmake/versions.env
transformers=4.3.1 # npm @huggingface/transformers; it brings the ONNX Runtime Web that it was built with
gradio=6.31.0      # PyPI
out=build/peers

mkdir -p "$out"
npm install --prefix "$out" --no-save --no-audit --no-fund --ignore-scripts "@huggingface/transformers@$transformers"
[ -x "$out/python/bin/python" ] || /usr/bin/python3 -m venv "$out/python"
"$out/python/bin/python" -m pip install --disable-pip-version-check --quiet \
    "gradio==$gradio" "onnxruntime==$ONNXRUNTIME_VERSION" "numpy==$NUMPY_VERSION"

classifier=$out/transformers/models/classifier
mkdir -p "$classifier/onnx" "$out/transformers/vendor" "$out/onnxruntime/vendor"
build/deps/python/bin/python3 bench/peers/export_classifier.py "$classifier"

cp bench/peers/page.css bench/peers/transformers/* "$out/transformers"
cp "$out/node_modules/@huggingface/transformers/dist/transformers.min.js" \
    "$out"/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.{mjs,wasm} "$out/transformers/vendor"

cp bench/peers/page.css bench/peers/onnxruntime/* "$out/onnxruntime"
cp "$classifier/onnx/model.onnx" "$out/onnxruntime/classifier.onnx"
# What `import "onnxruntime-web"` gives, and the wasm that it asks for.
cp build/deps/node_modules/onnxruntime-web/dist/ort.bundle.min.mjs \
    build/deps/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.jsep.wasm "$out/onnxruntime/vendor"
