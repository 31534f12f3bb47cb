"""A classifier of the usual size for a page, 21 MB in float32: timm's EfficientNet-B0 with random weights, as ONNX, in the
layout that transformers.js reads: export_classifier.py FOLDER"""
import json
import pathlib
import sys
import warnings

import timm
import torch

warnings.filterwarnings("ignore")
folder = pathlib.Path(sys.argv[1])
torch.manual_seed(0)
network = timm.create_model("efficientnet_b0").eval()
torch.onnx.export(network, (torch.randn(1, 3, 224, 224),), folder / "onnx" / "model.onnx", dynamo=True, optimize=True,
                  external_data=False, verbose=False, input_names=["pixel_values"], output_names=["logits"])
names = {str(place): f"class {place}" for place in range(1000)}
(folder / "config.json").write_text(json.dumps({"model_type": "efficientnet", "id2label": names}))
(folder / "preprocessor_config.json").write_text(json.dumps({
    "image_processor_type": "EfficientNetImageProcessor", "do_resize": True, "size": {"height": 224, "width": 224}, "resample": 3,
    "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225]}))
