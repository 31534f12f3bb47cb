// @ts-check
// What the page promises: the photo stays on the device, nothing comes from elsewhere, and the
// folder works wherever it is put.

import assert from "node:assert/strict";
import { test } from "node:test";
import { classify, open, waitForState } from "./browser.mjs";
import { site } from "./environment.mjs";
import { browser, hosting, photo } from "./fixture.mjs";
import { policy, policyHeader, violations } from "./policy.mjs";

/**
 * @param {Awaited<ReturnType<typeof hosting>>} host
 * @param {string} [address]
 */
async function tryOut(host, address = host.address) {
  const visit = await open(browser, address);
  await waitForState(visit.page, "ready", "error");
  assert.equal((await classify(visit.page, photo)).length, 3);
  await visit.page.waitForSelector("[data-photo=shown]");
  const isolated = await visit.page.evaluate(() => crossOriginIsolated);
  await visit.page.waitForTimeout(200); // reports of violations come a moment later
  await visit.close();
  return { ...visit, isolated };
}

test("no request leaves the origin, none carries the photo, and the policy holds", async () => {
  const host = await hosting(site, { headers: await policyHeader() });
  const { requests, complaints } = await tryOut(host);
  const elsewhere = requests.filter((url) => !url.startsWith(`${host.origin}/`) && !url.startsWith(`blob:${host.origin}/`));
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(complaints, []);
  assert.deepEqual(violations(host), []);
  assert.ok(host.requests.length > 5);
});

test("the policy allows nothing inline, no eval and no other origin", async () => {
  const text = await policy();
  assert.match(text, /default-src 'none'/);
  assert.doesNotMatch(text, /unsafe-inline|'unsafe-eval'|https?:|\*/);
});

test("works in a sub-folder, where nothing is asked from outside it", async () => {
  const host = await hosting(site, { under: "/some/where/dogs/" });
  const { complaints } = await tryOut(host);
  assert.deepEqual(complaints, []);
  assert.deepEqual(host.requests.filter((path) => !path.startsWith("/some/where/dogs/")), []);
  // With the page's name and a query, as links from elsewhere may have it.
  await tryOut(host, `${host.address}index.html?from=a-friend`);
});

test("works with threads where the host isolates the page", async () => {
  const host = await hosting(site, {
    headers: {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
      ...(await policyHeader()),
    },
  });
  const { complaints, isolated } = await tryOut(host);
  assert.ok(isolated);
  assert.deepEqual(complaints, []);
  assert.deepEqual(violations(host), []);
});
