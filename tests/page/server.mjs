// @ts-check
// A static host for the tests: serves a folder, under a sub-path if asked, keeps a list of what
// was requested, and can misbehave the way real hosts and networks do.
//
//   const host = await serve(site, { under: "/some/where/" });
//   host.faults.set("model/model.onnx.gz", truncated);

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

export const types = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript"],
  [".mjs", "text/javascript"],
  [".css", "text/css"],
  [".svg", "image/svg+xml"],
  [".json", "application/json"],
  [".png", "image/png"],
  [".webmanifest", "application/manifest+json"],
  [".gz", "application/gzip"],
]);

/**
 * @typedef {{body: Buffer | string, type?: string, status?: number, length?: number}} Answer
 *   `length` longer than the body: the connection breaks before the end
 * @typedef {(body: Buffer) => Answer} Fault
 */

/** @type {Fault} the file was cut when it was copied to the host */
export const truncated = (body) => ({ body: body.subarray(0, body.length / 2) });
/** @type {Fault} the connection breaks half way */
export const interrupted = (body) => ({ body: body.subarray(0, body.length / 2), length: body.length });
/** @type {Fault} a host that answers every unknown address with its start page */
export const webPage = () => ({ body: "<!doctype html><title>Welcome</title>", type: "text/html" });
/** @type {Fault} */
export const missing = () => ({ body: "not here", type: "text/plain", status: 404 });

/**
 * @param {string} folder
 * @param {object} [options]
 * @param {string} [options.under]                   sub-path, with slashes at both ends
 * @param {boolean} [options.claimEncoding]          .gz is served with Content-Encoding: gzip
 * @param {Record<string, string>} [options.headers] on every answer
 * @param {number} [options.pause]                   milliseconds between pieces of 256 KB
 */
export async function serve(folder, { under = "/", claimEncoding = false, headers = {}, pause = 0 } = {}) {
  /** @type {string[]} */
  const requests = [];
  /** @type {Map<string, Fault>} by path inside the folder */
  const faults = new Map();

  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://host").pathname);
    requests.push(path);
    const inside = path.startsWith(under) ? path.slice(under.length) || "index.html" : "";
    const body = inside ? await readFile(join(folder, normalize(`/${inside}`))).catch(() => undefined) : undefined;
    if (!body) return response.writeHead(404).end("not here");

    const fault = faults.get(inside);
    const answer = fault ? fault(body) : { body };
    const type = answer.type ?? types.get(extname(inside)) ?? "application/octet-stream";
    const bytes = Buffer.from(answer.body);
    response.writeHead(answer.status ?? 200, {
      "Content-Type": type,
      "Content-Length": answer.length ?? bytes.length,
      // Long, as many hosts have it: a retry must get past a broken file in the browser's cache.
      "Cache-Control": "max-age=3600",
      ...(claimEncoding && inside.endsWith(".gz") ? { "Content-Encoding": "gzip" } : {}),
      ...headers,
    });
    for (let at = 0; at < bytes.length; at += 1 << 18) {
      response.write(bytes.subarray(at, at + (1 << 18)));
      if (pause) await wait(pause);
    }
    if ((answer.length ?? 0) > bytes.length) setTimeout(() => response.destroy(), 50);
    else response.end();
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", () => done(undefined)));
  server.unref(); // a test that failed before it closed its host must not keep the program alive
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const origin = `http://127.0.0.1:${port}`;

  return {
    origin,
    address: origin + under,
    requests,
    faults,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
