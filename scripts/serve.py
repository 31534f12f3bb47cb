#!/usr/bin/env python3
"""Serves a folder on a local port, as any static host would, and prints its address: serve.py FOLDER [PORT]"""
import functools
import http.server
import os
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    # Whatever this machine's own table of types says.
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm",
        ".json": "application/json", ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml", ".gz": "application/gzip"}

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_):
        pass


def main():
    folder = sys.argv[1]
    if not os.path.exists(os.path.join(folder, "index.html")):
        sys.exit(f"serve: {folder}: no page is there; run ./run build first")
    handler = functools.partial(Handler, directory=folder)
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 8000
    for port in (wanted, 0):  # 0: any free one
        try:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
            break
        except OSError:
            if port == 0:
                raise
    print(f"http://127.0.0.1:{server.server_address[1]}/  (Ctrl-C stops)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


main()
