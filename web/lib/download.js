// @ts-check
// Fetches one gzipped file of the site and gives back its inflated bytes.
//
// Big files travel gzipped, so that every host sends the small size. But some hosts see the
// name end in .gz and add "Content-Encoding: gzip": the browser has then inflated it already.
// Names and headers prove nothing; the first two bytes do.

import { Failure } from "./failure.js";

/**
 * One line of site.json.
 * @typedef {object} Part
 * @property {string} path      relative to the site's folder
 * @property {number} bytes     size in the folder, gzipped
 * @property {number} inflated  size after inflating
 * @property {string} sha256    of the inflated bytes, in hexadecimal
 */

/**
 * @param {URL} url
 * @param {Part} part
 * @param {RequestCache} cache
 * @param {(bytes: number) => void} onBytes  how many of part.bytes have come, never more
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function download(url, part, cache, onBytes) {
  const response = await request(url, part.path, cache);
  if (!response.body) throw broken(part.path);
  const reader = response.body.getReader();
  /** @type {Uint8Array<ArrayBuffer>} */
  const whole = new Uint8Array(part.inflated);
  let size = 0;
  try {
    const head = await readTwoBytes(reader);
    const gzipped = head[0] === 0x1f && head[1] === 0x8b;
    const expected = gzipped ? part.bytes : part.inflated;
    let received = 0;
    const count = (/** @type {Uint8Array} */ chunk) => {
      received += chunk.length;
      onBytes(Math.min(part.bytes, Math.round((part.bytes * received) / expected)));
    };
    const arriving = countedStream(head, reader, count);
    const inflated = gzipped ? arriving.pipeThrough(new DecompressionStream("gzip")) : arriving;
    for (const out = inflated.getReader(); ; ) {
      const { done, value } = await out.read();
      if (done) break;
      if (size === 0 && value[0] === 0x3c) throw webPage(part.path); // '<': none of our files starts so
      if (size + value.length > whole.length) throw broken(part.path);
      whole.set(value, size);
      size += value.length;
    }
  } catch (error) {
    reader.cancel().catch(() => {}); // the rest is of no use; a stream that broke cannot be cancelled
    throw error instanceof Failure ? error : broken(part.path);
  }
  if (size !== whole.length) throw broken(part.path);
  onBytes(part.bytes);
  return whole;
}

/**
 * A small JSON file of the site, as text.
 * @param {URL} url
 * @param {string} path  its name in messages
 * @param {RequestCache} cache
 */
export async function downloadJson(url, path, cache) {
  const response = await request(url, path, cache);
  let text;
  try {
    text = await response.text();
  } catch {
    throw broken(path);
  }
  if (text.trimStart().startsWith("<")) throw webPage(path);
  try {
    return { text, value: JSON.parse(text) };
  } catch {
    throw broken(path);
  }
}

/**
 * Makes the browser's cache hold what the host has now.
 * @param {URL} url
 * @param {string} path  its name in messages
 */
export async function renew(url, path) {
  const response = await request(url, path, "reload");
  await response.arrayBuffer().catch(() => {}); // cut off again: whoever uses the file will say so
}

/**
 * @param {URL} url
 * @param {string} path
 * @param {RequestCache} cache
 */
async function request(url, path, cache) {
  let response;
  try {
    response = await fetch(url, { cache, credentials: "same-origin" });
  } catch {
    throw new Failure("unreachable", `The download failed (${path}). Check the connection, then try again.`, { path });
  }
  if (!response.ok) {
    throw new Failure("missing", `This site is not complete: ${path} is missing (the host answered ${response.status}).`, {
      path,
      status: response.status,
    });
  }
  return response;
}

/** @param {ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>} reader */
async function readTwoBytes(reader) {
  let head = new Uint8Array(0);
  while (head.length < 2) {
    const { done, value } = await reader.read();
    if (done) break;
    const longer = new Uint8Array(head.length + value.length);
    longer.set(head);
    longer.set(value, head.length);
    head = longer;
  }
  return head;
}

/**
 * @param {Uint8Array<ArrayBuffer>} head
 * @param {ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>} reader
 * @param {(chunk: Uint8Array) => void} count
 * @returns {ReadableStream<Uint8Array<ArrayBuffer>>}
 */
function countedStream(head, reader, count) {
  return new ReadableStream({
    start(controller) {
      count(head);
      controller.enqueue(head);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      count(value);
      controller.enqueue(value);
    },
  });
}

/** @param {string} path */
function broken(path) {
  return new Failure("broken", `The download did not arrive whole (${path}). Check the connection, then try again.`, { path });
}

/** @param {string} path */
function webPage(path) {
  return new Failure("web_page", `The host sent a web page in place of ${path}. Try again; if it stays so, this site is not complete.`, { path });
}
