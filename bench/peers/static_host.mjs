// @ts-check
// The tests' static host (tests/page/server.mjs) sends files as they lie. Usual hosts also compress text and wasm, say how long
// a file may be kept, and send parts; this one does, the same for every page that is compared.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { extname, join, normalize } from "node:path";
import { gzipSync } from "node:zlib";
import { types as testTypes } from "../../tests/page/server.mjs";

const types = new Map([...testTypes, [".wasm", "application/wasm"]]); // the peers have theirs unpacked
const compressed = new Set([".html", ".js", ".mjs", ".css", ".svg", ".json", ".wasm", ".webmanifest"]);

/** @typedef {{plain: Buffer, body: Buffer, headers: Record<string, string>, encoding: Record<string, string>}} Ready */

/**
 * @param {string} folder
 * @param {Record<string, string>} headers  on every answer
 * @returns {Promise<{port: number, close(): void}>}
 */
export async function hostFolder(folder, headers) {
  /** @type {Map<string, Promise<Ready>>} each file is read and compressed once, as a host's cache has it */
  const files = new Map();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://host");
    const path = normalize(pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    let file = files.get(path);
    if (!file) files.set(path, (file = prepare(join(folder, path))));
    const ready = await file.catch(() => undefined);
    if (!ready) return void response.writeHead(404).end("not here");
    const { plain, body, encoding } = ready;
    const common = { ...ready.headers, ...headers };
    if (request.headers["if-none-match"] === common.ETag) return void response.writeHead(304, common).end();
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (range) {
      const part = plain.subarray(Number(range[1]), Number(range[2]) + 1);
      const place = `bytes ${range[1]}-${Number(range[1]) + part.length - 1}/${plain.length}`;
      return void response.writeHead(206, { ...common, "Content-Range": place, "Content-Length": part.length }).end(part);
    }
    response.writeHead(200, { ...common, ...encoding, "Content-Length": body.length }).end(body);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", () => done(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * @param {string} path
 * @returns {Promise<Ready>}
 */
async function prepare(path) {
  const plain = await readFile(path);
  const kind = extname(path);
  const headers = {
    "Content-Type": types.get(kind) ?? "application/octet-stream",
    "Cache-Control": kind === ".html" ? "no-cache" : "max-age=600",
    ETag: `"${createHash("sha256").update(plain).digest("hex").slice(0, 16)}"`,
    Vary: "Accept-Encoding",
  };
  if (!compressed.has(kind)) return { plain, body: plain, headers, encoding: {} };
  return { plain, body: gzipSync(plain, { level: 6 }), headers, encoding: { "Content-Encoding": "gzip" } };
}
