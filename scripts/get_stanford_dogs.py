#!/usr/bin/env python3
"""Puts the Stanford Dogs data set into a folder: get_stanford_dogs.py FOLDER

It is left as it is when it is whole; else it is unpacked from ../shared/stanford-dogs where that is there, else
downloaded from its official site: sizes are checked, a download that broke off goes on where it stopped.
The result is FOLDER/Images/<class>/<photo>.jpg and FOLDER/lists/{train,test}_list.txt (12,000 and 8,580 paths).
Exit status: 0 it is there; 3 there is neither a copy nor a network.
"""
import os
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from matlab_cells import read_text_cells  # noqa: E402

SITE = "http://vision.stanford.edu/aditya86/ImageNetDogs/"
ARCHIVES = {"lists.tar": 481_280, "images.tar": 793_579_520}  # bytes
PHOTOS = {"train": 12_000, "test": 8_580}
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def is_whole(folder):
    try:
        for split, count in PHOTOS.items():
            with open(os.path.join(folder, "lists", f"{split}_list.txt")) as lines:
                paths = lines.read().split()
            if len(paths) != count or not all(os.path.exists(os.path.join(folder, "Images", p)) for p in paths):
                return False
        return True
    except OSError:
        return False


def show(name, done, total, start, first):
    rate = (done - first) / max(time.monotonic() - start, 1e-3)
    left = int((total - done) / rate) if rate > 0 else 0
    line = f"{name}: {100 * done // total:3d} %  {done / 1e6:,.0f} of {total / 1e6:,.0f} MB, {left // 60}:{left % 60:02d} left"
    print("\r\033[K" + line if sys.stderr.isatty() else line, end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


def download(name, size, folder, site=SITE):
    path = os.path.join(folder, name)
    have = os.path.getsize(path) if os.path.exists(path) else 0
    if have > size:
        have = 0
    if have < size:
        request = urllib.request.Request(site + name, headers={"Range": f"bytes={have}-"} if have else {})
        with urllib.request.urlopen(request, timeout=30) as answer:
            if answer.status != 206:
                have = 0  # the host sends the whole file again
            start, first, shown = time.monotonic(), have, 0.0
            with open(path, "ab" if have else "wb") as out:
                while block := answer.read(1 << 20):
                    out.write(block)
                    have += len(block)
                    if have == size or time.monotonic() - shown > (0.2 if sys.stderr.isatty() else 15):
                        shown = time.monotonic()
                        show(name, have, size, start, first)
        if sys.stderr.isatty():
            print(file=sys.stderr)
    if have != size:
        raise OSError(f"{name}: {have:,} bytes came instead of {size:,}; run it again and it goes on from there")
    return path


def unpack_archives(paths, folder):
    for path in paths:
        with tarfile.open(path) as archive:
            archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    os.makedirs(os.path.join(folder, "lists"), exist_ok=True)
    for split in PHOTOS:
        matlab = f"{split}_list.mat"
        found = next(p for p in (os.path.join(folder, "lists", matlab), os.path.join(folder, matlab)) if os.path.exists(p))
        with open(found, "rb") as file:
            lines = read_text_cells(file.read(), "file_list")
        with open(os.path.join(folder, "lists", f"{split}_list.txt"), "w") as out:
            out.writelines(line + "\n" for line in lines)


def main():
    folder = sys.argv[1]
    if is_whole(folder):
        return 0
    os.makedirs(folder, exist_ok=True)
    copy = os.path.join(ROOT, "..", "shared", "stanford-dogs", "unpack")
    if os.path.exists(copy):
        print(f"unpacking Stanford Dogs into {folder}", file=sys.stderr)
        python = os.path.join(ROOT, "build", "deps", "python", "bin", "python3")
        subprocess.run([python if os.path.exists(python) else sys.executable, copy, folder], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    else:
        parts = os.path.join(folder, "download")
        os.makedirs(parts, exist_ok=True)
        try:
            paths = [download(name, size, parts) for name, size in ARCHIVES.items()]
        except urllib.error.URLError as error:
            print(f"Stanford Dogs: {SITE} can't be reached ({error.reason})", file=sys.stderr)
            return 3
        unpack_archives(paths, folder)
        shutil.rmtree(parts)
    if not is_whole(folder):
        sys.exit(f"Stanford Dogs: {folder} is not whole after unpacking; remove it and run this again")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit(f"Stanford Dogs: {error}")
