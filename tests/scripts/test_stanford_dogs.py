"""The download of the data set against a small host on this machine: whole, resumed, refused, cut short; and the reader
of the official lists."""
import functools
import http.server
import os
import pathlib
import re
import struct
import sys
import tempfile
import threading
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import get_stanford_dogs  # noqa: E402
from matlab_cells import read_text_cells  # noqa: E402

CONTENT = bytes(range(256)) * 5000


class Host(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.headers.get("Range"))
        start = int(re.match(r"bytes=(\d+)-", self.headers["Range"]).group(1)) if "Range" in self.headers and self.server.resumes else 0
        body = CONTENT[start : self.server.cut_at]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Download(unittest.TestCase):
    def setUp(self):
        self.host = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
        self.host.asked, self.host.resumes, self.host.cut_at = [], True, None
        threading.Thread(target=self.host.serve_forever, daemon=True).start()
        self.addCleanup(self.host.server_close)
        self.addCleanup(self.host.shutdown)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        site = f"http://127.0.0.1:{self.host.server_address[1]}/"
        self.download = functools.partial(get_stanford_dogs.download, "images.tar", len(CONTENT), self.folder, site)

    def content(self):
        return pathlib.Path(self.folder, "images.tar").read_bytes()

    def test_whole(self):
        self.download()
        self.assertEqual(self.content(), CONTENT)

    def test_goes_on_where_it_stopped(self):
        pathlib.Path(self.folder, "images.tar").write_bytes(CONTENT[:70_000])
        self.download()
        self.assertEqual(self.content(), CONTENT)
        self.assertEqual(self.host.asked, ["bytes=70000-"])

    def test_a_host_that_can_not_resume_sends_all_again(self):
        self.host.resumes = False
        pathlib.Path(self.folder, "images.tar").write_bytes(b"x" * 70_000)
        self.download()
        self.assertEqual(self.content(), CONTENT)

    def test_a_whole_file_is_not_fetched_again(self):
        pathlib.Path(self.folder, "images.tar").write_bytes(CONTENT)
        self.download()
        self.assertEqual(self.host.asked, [])

    def test_too_few_bytes_are_an_error_and_are_kept(self):
        self.host.cut_at = 100_000
        with self.assertRaisesRegex(OSError, "100,000 bytes came instead of 1,280,000; run it again"):
            self.download()
        self.assertEqual(len(self.content()), 100_000)
        self.host.cut_at = None
        self.download()
        self.assertEqual(self.content(), CONTENT)


def element(kind, body):
    return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)


def array(array_class, name, content):
    flags = element(6, struct.pack("<II", array_class, 0))
    return element(14, flags + element(5, struct.pack("<ii", 1, 1)) + element(1, name) + content)


class Lists(unittest.TestCase):
    # By the layout of MATLAB's level 5 format: a header of 128 bytes, a number, and a cell array of texts.
    texts = ["n02085620-Chihuahua/n02085620_5927.jpg", "n02116738-African_hunting_dog/n02116738_1.jpg"]
    cells = array(1, b"file_list", b"".join(array(4, b"", element(4, t.encode("utf-16-le"))) for t in texts))
    other = array(6, b"labels", element(9, struct.pack("<d", 1.0)))

    def test_plain_and_compressed(self):
        packed = zlib.compress(self.cells)
        for body in (self.other + self.cells, self.other + struct.pack("<II", 15, len(packed)) + packed):
            self.assertEqual(read_text_cells(bytes(128) + body, "file_list"), self.texts)

    def test_a_file_without_the_array(self):
        with self.assertRaisesRegex(ValueError, "no cell array 'file_list'"):
            read_text_cells(bytes(128) + self.other, "file_list")


if __name__ == "__main__":
    unittest.main()
