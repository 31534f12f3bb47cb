#!/usr/bin/env python3
"""What a linear head gains by what it sees of the training photos: more or less of their border, or the dogs' bounding boxes.

  head_views.py --data data/stanford-dogs --unseen ../shared/unseen --backbone ../shared/backbones/efficientnetv2_b0.onnx

Fits the head as recipes/dogs_head.toml does, by PyTorch on features of ONNX Runtime and Pillow, and prints a table in Markdown:
four-fold cross-validation on the training photos, the temperature that is best there, and the web photos. Features are
kept in the folder --features, three minutes a view on two cores.
"""
import argparse
import csv
import pathlib
import xml.etree.ElementTree

import numpy
import onnx
import onnxruntime
import torch
from PIL import Image

SIZE, BATCH, PULL, FOLDS, BINS = 224, 32, 0.005, 4, 15
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
TEMPERATURES = numpy.arange(0.6, 1.3, 0.02)


def centre(photo, resize):
    width, height = (round(side * resize / min(photo.size)) for side in photo.size)
    left, top = (width - SIZE) // 2, (height - SIZE) // 2
    return photo.resize((width, height), Image.BICUBIC).crop((left, top, left + SIZE, top + SIZE))


def largest_box(photo, annotation):
    """The square around the largest dog, a tenth more than its longer side, as far as the photo reaches."""
    root = xml.etree.ElementTree.parse(annotation).getroot()
    annotated = [float(root.find(f"size/{side}").text) for side in ("width", "height")]
    boxes = [[float(dog.find(f"bndbox/{edge}").text) for edge in ("xmin", "ymin", "xmax", "ymax")] for dog in root.findall("object")]
    x0, y0, x1, y1 = (edge * photo.size[i % 2] / annotated[i % 2]
                      for i, edge in enumerate(max(boxes, key=lambda b: (b[2] - b[0]) * (b[3] - b[1]))))
    side = min(1.1 * max(x1 - x0, y1 - y0), *photo.size)
    left, top = (min(max((low + high - side) / 2, 0), whole - side)
                 for low, high, whole in ((x0, x1, photo.width), (y0, y1, photo.height)))
    return photo.resize((SIZE, SIZE), Image.BICUBIC, box=(left, top, left + side, top + side))


def view(photo, name, annotation):
    return largest_box(photo, annotation) if name == "box" else centre(photo, int(name))


def features(session, paths, name, kept, data):
    """[photos, width] of one view."""
    if kept.exists():
        return torch.from_numpy(numpy.load(kept))
    rows = []
    for first in range(0, len(paths), BATCH):
        pictures = []
        for path in paths[first:first + BATCH]:
            annotation = data / "Annotation" / path.parent.name / path.stem
            values = numpy.asarray(view(Image.open(path).convert("RGB"), name, annotation), numpy.float32) / 255
            pictures.append(((values - numpy.float32(MEAN)) / numpy.float32(DEVIATION)).transpose(2, 0, 1))
        rows.append(session.run(None, {session.get_inputs()[0].name: numpy.stack(pictures)})[0])
    kept.parent.mkdir(parents=True, exist_ok=True)
    numpy.save(kept, numpy.concatenate(rows))
    return torch.from_numpy(numpy.concatenate(rows))


def with_bias(rows):
    return torch.cat([rows, torch.ones(len(rows), 1)], 1)


def fit(rows, labels, start):
    inputs = with_bias(rows)
    weight = start.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([weight], max_iter=60, history_size=10, line_search_fn="strong_wolfe")

    def objective():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(inputs @ weight.T, labels) + PULL * ((weight - start) ** 2).sum()
        loss.backward()
        return loss

    optimizer.step(objective)
    return weight.detach()


def cross_entropy(logits, labels, temperature=1.0):
    return torch.nn.functional.cross_entropy(logits / temperature, labels).item()


def top1(logits, labels):
    return 100 * (logits.argmax(1) == labels).float().mean().item()


def calibration_error(logits, labels, temperature):
    confidence, answer = torch.softmax(logits / temperature, 1).max(1)
    bins = (confidence * BINS).ceil()
    gaps = [((answer == labels).float() - confidence)[bins == each].sum().abs() for each in bins.unique()]
    return 100 * sum(gaps).item() / len(labels)


def cross_validated(views, shown, labels, start):
    """Logits of each photo, shown so, by a head that was fitted on these views of others."""
    fold = torch.randint(FOLDS, (len(labels),), generator=torch.Generator().manual_seed(0))
    logits = torch.empty(len(labels), len(start))
    for each in range(FOLDS):
        others = torch.cat([rows[fold != each] for rows in views])
        logits[fold == each] = with_bias(shown[fold == each]) @ fit(others, labels[fold != each].repeat(len(views)), start).T
    return logits


def open_backbone(path, ids):
    """A session whose output is what the head sees, and the head's own rows of these ids with their biases."""
    model = onnx.load(path)
    head = next(node for node in reversed(model.graph.node) if node.op_type == "Gemm")
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    synsets = [line.split()[0] for line in (path.parent / "imagenet_synsets.txt").read_text().splitlines() if line.strip()]
    rows = [synsets.index(each) for each in ids]
    weight, bias = torch.tensor(arrays[head.input[1]][rows]), torch.tensor(arrays[head.input[2]][rows])
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_tensor_value_info(head.input[0], onnx.TensorProto.FLOAT, None))
    return onnxruntime.InferenceSession(model.SerializeToString()), torch.cat([weight, bias[:, None]], 1)


def training_photos(data):
    """Paths, class ids, and a label for each path."""
    paths = [data / "Images" / line for line in (data / "lists/train_list.txt").read_text().split()]
    own = [path.parent.name.split("-")[0] for path in paths]
    ids = sorted(set(own))
    return paths, ids, torch.tensor([ids.index(each) for each in own])


def web_photos(unseen, ids):
    with open(unseen / "labels.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["file"].startswith("web/")]
    return [unseen / row["file"] for row in rows], torch.tensor([ids.index(row["class"].split("-")[0]) for row in rows])


def table_row(fitted, seen, labels, shown, web_labels, start):
    views = [seen[name] for name in fitted]
    logits = cross_validated(views, seen["240"], labels, start)
    temperature = min(TEMPERATURES, key=lambda each: cross_entropy(logits, labels, each))
    weight = fit(torch.cat(views), labels.repeat(len(views)), start)

    def on_web(name, at):
        answers = with_bias(shown[name]) @ weight.T
        return answers, f"{cross_entropy(answers, web_labels, at):.3f}, ECE {calibration_error(answers, web_labels, at):.1f} %"

    cells = [" + ".join(fitted), f"{top1(logits, labels):.2f} %, {cross_entropy(logits, labels):.3f}",
             f"{temperature:.2f}: {cross_entropy(logits, labels, temperature):.3f}"]
    for name in shown:
        answers, measures = on_web(name, 1)
        cells.append(f"{top1(answers, web_labels):.2f} %, {measures}")
    return "| " + " | ".join([*cells, on_web("240", temperature)[1]]) + " |"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--unseen", type=pathlib.Path, required=True)
    arguments.add_argument("--backbone", type=pathlib.Path, required=True)
    arguments.add_argument("--features", type=pathlib.Path, default=pathlib.Path("build/head_views"))
    given = arguments.parse_args()

    training, ids, labels = training_photos(given.data)
    web, web_labels = web_photos(given.unseen, ids)
    session, start = open_backbone(given.backbone, ids)
    seen = {name: features(session, training, name, given.features / f"training_{name}.npy", given.data)
            for name in ("256", "240", "224", "box")}
    shown = {name: features(session, web, name, given.features / f"web_{name}.npy", given.data) for name in ("256", "240", "224")}
    print("| fitted on | cross-validated, of 240 px | at the best temperature | web photos: of 256 px | of 240 px | of 224 px | "
          "of 240 px, at that temperature |\n|---|---|---|---|---|---|---|")
    for fitted in (("256",), ("240",), ("224",), ("box",), ("240", "box"), ("256", "240", "224")):
        print(table_row(fitted, seen, labels, shown, web_labels, start), flush=True)


if __name__ == "__main__":
    main()
