// @ts-check
// The large downloads, kept in the browser by the hash of their content: the next visit fetches
// only what has changed, and none of it without a network. Nothing else is kept but the page's own
// files (service_worker.js), and the visitor can clear both. Where a browser keeps nothing (private
// windows, full disks, addresses without https), everything works and is fetched at each visit.

/** @param {URL} root  the site's folder: several sites may share an origin */
const nameFor = (root) => `ouaf downloads ${root.href}`;

/**
 * @param {URL} root
 * @param {string} sha256
 */
const addressFor = (root, sha256) => new URL(`kept/${sha256}`, root);

/**
 * @param {URL} root
 * @param {string} sha256
 * @returns {Promise<Uint8Array<ArrayBuffer> | undefined>}  checked: what was damaged on the disk is not there
 */
export async function kept(root, sha256) {
  try {
    const cache = await caches.open(nameFor(root));
    const found = await cache.match(addressFor(root, sha256));
    if (!found) return undefined;
    const bytes = new Uint8Array(await found.arrayBuffer());
    if ((await hashOf(bytes)) === sha256) return bytes;
    await cache.delete(addressFor(root, sha256));
  } catch {
    // A browser that keeps nothing says so by an exception.
  }
  return undefined;
}

/** @typedef {"kept" | "full" | "refused"} State */

/**
 * Keeps the files of this version, and lets go of those of others.
 * @param {URL} root
 * @param {Map<string, Uint8Array<ArrayBuffer>>} files  by hash
 * @param {string[]} listed  the hashes of all that this version has, fetched at this visit or at another
 * @returns {Promise<{state: State, there: Set<string>}>}  the hashes of what is stored now
 */
export async function keep(root, files, listed) {
  /** @type {Set<string>} */
  const there = new Set();
  try {
    const cache = await caches.open(nameFor(root));
    const hashes = new Map(listed.map((sha256) => [addressFor(root, sha256).href, sha256]));
    for (const request of await cache.keys()) {
      const sha256 = hashes.get(request.url);
      if (sha256) there.add(sha256);
      else await cache.delete(request);
    }
    for (const [sha256, bytes] of files) {
      if (!there.has(sha256)) await cache.put(addressFor(root, sha256), new Response(bytes));
      there.add(sha256);
    }
    return { state: "kept", there };
  } catch (error) {
    return { state: error instanceof DOMException && error.name === "QuotaExceededError" ? "full" : "refused", there };
  }
}

/**
 * Lets go of some files.
 * @param {URL} root
 * @param {string[]} hashes
 */
export async function drop(root, hashes) {
  const cache = await caches.open(nameFor(root));
  for (const sha256 of hashes) await cache.delete(addressFor(root, sha256));
}

/**
 * Everything this site has stored, the page's own files among it.
 * @param {URL} root
 */
export async function clear(root) {
  const registration = await navigator.serviceWorker?.getRegistration(root.href);
  await registration?.unregister();
  for (const name of await caches.keys()) {
    if (name === nameFor(root) || name.startsWith(`ouaf page ${root.href} `)) await caches.delete(name);
  }
}

/**
 * In hexadecimal; nothing where the browser has no digests (an address without https).
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
export async function hashOf(bytes) {
  if (!globalThis.crypto?.subtle) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
