"""How fast `ouaf train` trains on a folder of photos, against PyTorch with timm's network and torchvision's transforms on
the same photos: images a second of a first epoch, files to weights, and of those that follow.

    build/deps/python/bin/python bench/training_speed.py PHOTOS [--network NAME…] [--precision float32 bfloat16]
        [--batch 32] [--photos 600] [--epochs 3] [--rounds 3] [--peer-only] [--settings]

PHOTOS has a folder a class; the first --photos of them in a fixed shuffled order are taken, as links. Both sides train
all weights from nothing with the same batch, AdamW and changes: a crop of 0.35 to 1 of the area at 224 px, flip, jitter
of brightness and contrast by 0.2, erasing of a quarter; the batches that PyTorch trains on are channels_last. Every
round runs each side once, in a process of its own, one after the other, with all cores. --settings times PyTorch's
loader alone with each decoder and 0, 1 and 2 workers; give the peer what is fastest on a quiet machine as --decoder and
--workers."""
import argparse
import csv
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

OUAF = os.path.abspath(os.environ.get("OUAF_BINARY", os.path.join(os.path.dirname(__file__), "..", "build", "release", "ouaf")))
TIMM = {"efficientnet_v2_b0": "tf_efficientnetv2_b0", "resnet50": "resnet50"}  # ouaf's names, timm's
SIDE = 224
RECIPE = """
name = "{network}"
network = "{network}"
data = "{data}"
[train]
epochs = {epochs}
batch = {batch}
optimizer = "adamw"
learning_rate = 0.001
weight_decay = 0.01
bfloat16 = {bfloat16}
size = {side}
checkpoint_seconds = 3600
[augment]
crop = [0.35, 1]
flip = 0.5
brightness = [0.8, 1.2]
contrast = 0.2
erase = 0.25
"""


def take_photos(source, count, folder):
    """Links to `count` photos in folder/photos, which is PyTorch's, and the same as a list in folder/photos.csv with 32
    more to validate and test with, which is ouaf's."""
    held = 32
    photos = sorted(path for path in pathlib.Path(source).glob("*/*") if path.suffix.lower() in (".jpg", ".jpeg"))
    if len(photos) <= held:
        sys.exit(f"{source}: has {len(photos)} photos CLASS/PHOTO.jpg; give a folder with one folder a class")
    random.Random(0).shuffle(photos)
    taken = photos[held:held + count]
    classes = {photo.parent.name for photo in taken}
    rows = [(photo, "train") for photo in taken]
    rows += [(photo, ("validation", "test")[i % 2]) for i, photo in enumerate(photos[:held]) if photo.parent.name in classes]
    for photo in taken:
        place = folder / "photos" / photo.parent.name / photo.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(photo.resolve())
    with open(folder / "photos.csv", "w", newline="") as file:
        csv.writer(file).writerows([("file", "class", "split")] + [(p.resolve(), p.parent.name, split) for p, split in rows])
    return len(taken)


def make_loader(folder, batch, decoder, workers):
    import torch
    from PIL import Image
    from torchvision import datasets, io
    from torchvision.transforms import v2

    def with_pillow(path):
        return v2.functional.pil_to_tensor(Image.open(path).convert("RGB"))

    def with_torchvision(path):
        return io.decode_jpeg(io.read_file(path), mode=io.ImageReadMode.RGB)

    changes = v2.Compose([v2.RandomResizedCrop(SIDE, scale=(0.35, 1), antialias=True), v2.RandomHorizontalFlip(),
                          v2.ColorJitter(brightness=0.2, contrast=0.2), v2.ToDtype(torch.float32, scale=True),
                          v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]), v2.RandomErasing(0.25)])
    photos = datasets.ImageFolder(folder, changes,
                                  loader={"Pillow": with_pillow, "torchvision": with_torchvision}[decoder])
    return torch.utils.data.DataLoader(photos, batch, shuffle=True, num_workers=workers,
                                       persistent_workers=workers > 0)


def peer(arguments):
    """One training, in this process: images a second of each epoch, as a line of JSON."""
    import timm
    import torch

    torch.manual_seed(0)
    loader = make_loader(arguments.peer, arguments.batch, arguments.decoder, arguments.workers)
    network = timm.create_model(TIMM[arguments.network[0]], num_classes=len(loader.dataset.classes))
    network = network.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.001, weight_decay=0.01, fused=True)
    speeds = []
    for _ in range(arguments.epochs):
        start = time.perf_counter()
        for images, labels in loader:
            images = images.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=arguments.precision[0] == "bfloat16"):
                loss = torch.nn.functional.cross_entropy(network(images), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        speeds.append(len(loader.dataset) / (time.perf_counter() - start))
    print(json.dumps(speeds))


def run_peer(arguments, folder, network, precision):
    run = subprocess.run([sys.executable, __file__, "--peer", folder / "photos", "--network", network, "--precision", precision,
                          "--batch", str(arguments.batch), "--epochs", str(arguments.epochs), "--decoder",
                          arguments.decoder, "--workers", str(arguments.workers)],
                         check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout)


def run_ouaf(arguments, folder, network, precision):
    with tempfile.TemporaryDirectory() as place:
        recipe = pathlib.Path(place) / "recipe.toml"
        recipe.write_text(RECIPE.format(network=network, data=folder / "photos.csv", epochs=arguments.epochs + 1, batch=arguments.batch,
                                        side=SIDE, bfloat16=str(precision == "bfloat16").lower()))
        start = time.time()
        subprocess.run([OUAF, "train", recipe, "--out", os.path.join(place, "run"), "--until", str(arguments.epochs)],
                       check=True, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env=os.environ | {"OUAF_CACHE": os.path.join(place, "cache")})
        events = [json.loads(line) for line in (pathlib.Path(place) / "run" / "metrics.jsonl").read_text().splitlines()]
    epochs = [event for event in events if event["event"] == "epoch"]
    # The first from the program's start, with the decoding of every photo and the validation: more than the peer's.
    cold = events[0]["training_pictures"] / (epochs[0]["time"] - start)
    return [cold] + [event["images_per_second"] for event in epochs[1:]]


def compare(arguments, folder, network, precision):
    sides = {"PyTorch": run_peer} if arguments.peer_only else {"ouaf": run_ouaf, "PyTorch": run_peer}
    first = {side: [] for side in sides}
    later = {side: [] for side in sides}
    for _ in range(arguments.rounds):
        for side, run in sides.items():
            speeds = run(arguments, folder, network, precision)
            first[side].append(speeds[0])
            later[side].append(statistics.median(speeds[1:] or speeds))
    for name, speeds in (("first", first), ("later", later)):
        ours = f"{statistics.median(speeds['ouaf']):.1f}" if "ouaf" in speeds else ""
        ratio = (f"{statistics.median(a / b for a, b in zip(speeds['ouaf'], speeds['PyTorch'])):.2f}"
                 if "ouaf" in speeds else "")
        print(f"| {network} | {precision} | {name} | {ours} | {statistics.median(speeds['PyTorch']):.1f} | {ratio} |",
              flush=True)


def time_settings(arguments, folder):
    for decoder in ("Pillow", "torchvision"):
        for workers in (0, 1, 2):
            loader = make_loader(folder, arguments.batch, decoder, workers)
            speeds = []
            for _ in range(2):
                start = time.perf_counter()
                for _ in loader:
                    pass
                speeds.append(len(loader.dataset) / (time.perf_counter() - start))
            print(f"{decoder}, {workers} workers: {max(speeds):.0f} photos/s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("photos_folder", nargs="?")
    parser.add_argument("--network", nargs="+", default=list(TIMM), choices=list(TIMM))
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"], choices=["float32", "bfloat16"])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--photos", type=int, default=600)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--decoder", default="torchvision", choices=["Pillow", "torchvision"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--peer-only", action="store_true")
    parser.add_argument("--settings", action="store_true")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        return peer(arguments)
    if not arguments.photos_folder:
        parser.error("give a folder with one folder a class")
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        taken = take_photos(arguments.photos_folder, arguments.photos, folder)
        if arguments.settings:
            return time_settings(arguments, folder / "photos")
        print(f"{taken} photos, batch {arguments.batch}, {arguments.epochs} epochs, medians of {arguments.rounds} rounds\n")
        print("| network | precision | epoch | ouaf, images/s | PyTorch | ratio |\n|---|---|---|---|---|---|")
        for network in arguments.network:
            for precision in arguments.precision:
                compare(arguments, folder, network, precision)


if __name__ == "__main__":
    main()
