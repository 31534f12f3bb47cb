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

/**
 * Keeps the files of this version, and lets go of those of others.
 * @param {URL} root
 * @param {Map<string, Uint8Array<ArrayBuffer>>} files  by hash
 * @returns {Promise<"kept" | "full" | "refused">}
 */
export async function keep(root, files) {
  try {
    const cache = await caches.open(nameFor(root));
    const wanted = new Set([...files.keys()].map((sha256) => addressFor(root, sha256).href));
    for (const request of await cache.keys()) {
      if (wanted.has(request.url)) wanted.delete(request.url);
      else await cache.delete(request);
    }
    for (const [sha256, bytes] of files) {
      const address = addressFor(root, sha256);
      if (wanted.has(address.href)) await cache.put(address, new Response(bytes));
    }
    return "kept";
  } catch (error) {
    return error instanceof DOMException && error.name === "QuotaExceededError" ? "full" : "refused";
  }
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
