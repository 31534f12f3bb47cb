// @ts-check
// lib/ouaf.js in a page of somebody else's: the example of docs/api.md works as it stands there, and
// gives what the site's own page gives.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { classify, open, waitForState } from "./browser.mjs";
import { site } from "./environment.mjs";
import { browser, hosting, photo } from "./fixture.mjs";
import { truncated } from "./server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const example = await readFile(join(here, "example.html"), "utf8");

/** @param {Awaited<ReturnType<typeof hosting>>} host */
async function openExample(host) {
  const visit = await open(browser, "about:blank");
  await visit.page.route(`${host.origin}/example.html`, (route) => route.fulfill({ contentType: "text/html", body: example }));
  await visit.page.goto(`${host.origin}/example.html`);
  return visit;
}

test("the example page answers as the site's page does, and says what is wrong with a file", async () => {
  const host = await hosting(site, { under: "/dogs/" });
  const own = await open(browser, host.address);
  await waitForState(own.page, "ready");
  const [expected] = await classify(own.page, photo);
  await own.close();

  const { page, complaints, close } = await openExample(host);
  const answer = page.getByRole("status");
  await page.getByText("Ready: 120 breeds").waitFor();
  await page.setInputFiles("#photo", photo);
  await page.getByText(`${expected.name}, ${Math.round(100 * expected.probability)} %`).waitFor();
  await page.setInputFiles("#photo", { name: "letter.jpg", mimeType: "image/jpeg", buffer: Buffer.from("Bonjour") });
  await page.waitForFunction(() => /photo|image|picture/i.test(document.querySelector("#answer")?.textContent ?? ""));
  assert.doesNotMatch(await answer.innerText(), /%/);
  assert.deepEqual(complaints, []);
  await close();
});

test("many questions at once are each answered, in both languages; a closed recogniser is gone", async () => {
  const host = await hosting(site, { under: "/dogs/" });
  const { page, close } = await openExample(host);
  await page.getByText("Ready").waitFor();
  const found = await page.evaluate(async (bytes) => {
    /** @type {typeof import("../../web/lib/ouaf.js")} */
    const { load } = await import(String(new URL("dogs/lib/ouaf.js", location.href)));
    const dogs = await load();
    const blob = new Blob([new Uint8Array(bytes)]);
    const all = await Promise.all([1, 5, 10].map((top) => dogs.predict(blob, { top })));
    dogs.close();
    return all;
  }, [...photo.buffer]);
  assert.deepEqual(found.map(({ predictions }) => predictions.length), [1, 5, 10]);
  assert.deepEqual(found.map(({ verdict }) => verdict), ["unsure", "unsure", "unsure"]);
  assert.deepEqual(found[0].predictions[0], found[2].predictions[0]);
  assert.ok(found[0].predictions[0].name.en && found[0].predictions[0].name.fr);
  await close();
});

test("a model that does not arrive is a failure with a kind", async () => {
  const host = await hosting(site, { under: "/dogs/" });
  host.faults.set("model/model.onnx.gz", truncated);
  const { page, close } = await open(browser, "about:blank");
  await page.route(`${host.origin}/empty.html`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>empty</title>" }));
  await page.goto(`${host.origin}/empty.html`);
  const kind = await page.evaluate(async () => {
    /** @type {typeof import("../../web/lib/ouaf.js")} */
    const { load } = await import(String(new URL("dogs/lib/ouaf.js", location.href)));
    return load().then(() => "loaded", (failure) => failure.kind);
  });
  assert.equal(kind, "broken");
  await close();
});

test("docs/api.md shows the example as it is", async () => {
  const script = /<script type="module">\n([^]*?)<\/script>/.exec(example)?.[1].replace(/^ {2}/gm, "").trimEnd();
  const docs = await readFile(join(here, "..", "..", "docs", "api.md"), "utf8");
  assert.ok(script && docs.replace(/^ {4}/gm, "").includes(script), "docs/api.md and example.html differ");
});
