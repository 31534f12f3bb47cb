"""ouaf's model behind Gradio's usual interface, run by ONNX Runtime on this machine: gradio_app.py MODEL PORT"""
import json
import pathlib
import sys

import gradio as gr
import numpy as np
import onnxruntime as ort
from PIL import Image, ImageOps

folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
info = json.loads((folder / "model.json").read_text())
options = ort.SessionOptions()
options.add_session_config_entry("session.disable_quant_qdq", "1")  # weights to float once, as the page does it
session = ort.InferenceSession(folder / info["file"], options, providers=["CPUExecutionProvider"])
names = [each["name"]["en"] for each in info["classes"]]
size, resize = info["input"]["size"], info["preprocess"]["resize"]
mean, std = (np.array(info["input"][key], np.float32) for key in ("mean", "std"))


def classify(photo):
    if photo is None:
        return {}
    photo = ImageOps.exif_transpose(photo).convert("RGB")
    scale = resize / min(photo.size)
    photo = photo.resize([round(side * scale) for side in photo.size], Image.Resampling.BICUBIC)
    left, top = ((side - size) // 2 for side in photo.size)
    pixels = np.asarray(photo.crop((left, top, left + size, top + size)), np.float32) / 255
    tensor = ((pixels - mean) / std).transpose(2, 0, 1)[None]
    logits = session.run([info["outputs"]["logits"]], {info["input"]["name"]: tensor})[0][0] / info.get("temperature", 1)
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    return dict(zip(names, shares.tolist()))


interface = gr.Interface(classify, gr.Image(type="pil"), gr.Label(num_top_classes=3))
interface.launch(server_name="127.0.0.1", server_port=port, quiet=True)
