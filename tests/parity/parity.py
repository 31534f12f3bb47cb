"""Does the page see what the trainer sees? For generated pictures of every kind, and real photos where they are, the
native build's and the browser's tensors must be the same in every bit; the logits of LibTorch, ONNX Runtime and the
page's ONNX Runtime Web must agree within 1e-3; files that are no photos must be refused with the same words.

    parity.py --native build/release/native_side --model models/dogs --browser tests/parity/browser.mjs [--photos ../shared]
"""
import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile

from make_pictures import make_pictures

# Three libraries sum the same float32 products in three orders. A tensor that differs in one 8-bit level of one pixel
# moves logits by about as much: the tolerance would hide that, so the tensors are compared apart, without any.
TOLERANCE = 1e-3


def real_photos(shared):
    """Forty of the unseen photos of dogs and twenty of other things, spread over all."""
    labels = os.path.join(shared, "unseen", "labels.csv")
    if not os.path.exists(labels):
        print("skipped: no real photos (../shared/unseen is not there); the generated pictures remain")
        return []
    with open(labels) as lines:
        files = [row["file"] for row in csv.DictReader(lines)]
    dogs = [f for f in files if f.startswith("web/")]
    rest = [f for f in files if not f.startswith("web/")]
    chosen = dogs[:: len(dogs) // 40][:40] + rest[:: len(rest) // 20][:20]
    return [os.path.join(shared, "unseen", f) for f in chosen]


def read_lines(path):
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def difference(a, b):
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def compare(native, page):
    """What is wrong with one file, or nothing; and the largest difference of logits."""
    if "error" in native or "error" in page:
        same = all(native.get(key) == page.get(key) for key in ("error", "message"))
        return ("" if same else f"native says {native.get('error')}, the page {page.get('error')}: {page.get('message')}"), 0.0
    if (native["width"], native["height"]) != (page["width"], page["height"]):
        return "the photo's size differs", 0.0
    if native["tensor"] != page["tensor"]:
        return "the tensors differ", 0.0
    worst = max(difference(native["libtorch"], native["onnxruntime"]), difference(native["libtorch"], page["logits"]),
                difference(native["onnxruntime"], page["logits"]))
    return (f"logits differ by {worst:.2g}" if not worst <= TOLERANCE else ""), worst


def main():
    parser = argparse.ArgumentParser()
    for name in ("--native", "--model", "--browser"):
        parser.add_argument(name, required=True)
    parser.add_argument("--photos", default="")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        files = make_pictures(folder) + real_photos(options.photos)
        listed, native_out, page_out = (os.path.join(folder, n) for n in ("list", "native.jsonl", "page.jsonl"))
        with open(listed, "w") as out:
            out.write("\n".join(files) + "\n")
        subprocess.run([options.native, options.model, listed, native_out], check=True)
        subprocess.run(["node", options.browser, listed, page_out], check=True)
        natives, pages = read_lines(native_out), read_lines(page_out)

    worst, failures = 0.0, []
    for file, native, page in zip(files, natives, pages, strict=True):
        problem, largest = compare(native, page)
        worst = max(worst, largest)
        if problem:
            failures.append(f"{os.path.basename(file)}: {problem}")
    photos = sum("error" not in native for native in natives)
    print("\n".join(failures))
    print(f"{photos} pictures with tensors, {len(files) - photos} refused files; largest difference of logits {worst:.2g}")
    print(f"{len(files) - len(failures)} passed, {len(failures)} failed")
    if photos < 60 and options.photos and os.path.exists(options.photos):
        sys.exit("too few pictures for a comparison")
    sys.exit(1 if failures else 0)


main()
