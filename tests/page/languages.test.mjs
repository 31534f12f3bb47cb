// @ts-check
// The page in French and English: by the browser's language, switchable, and nothing left untranslated.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { alertText, answers, classify, open, waitForState } from "./browser.mjs";
import { site } from "./environment.mjs";
import { browser, hosting, photo } from "./fixture.mjs";
import { truncated } from "./server.mjs";

/** The third column of the list that models are made with. @type {Map<string, string>} */
const french120 = new Map();
const project = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

for (const line of (await readFile(join(project, "models", "imagenet_classes.tsv"), "utf8")).split("\n")) {
  const [id, , french] = line.split("\t");
  if (french) french120.set(id, french);
}

/** @param {import("playwright-core").Page} page */
const shown = (page) =>
  page.evaluate(() => ({
    lang: document.documentElement.lang,
    title: document.title,
    question: document.querySelector("h1")?.textContent,
    knows: document.querySelector("#knows")?.textContent,
    stored: document.querySelector("#stored")?.textContent,
    kept: localStorage.length,
  }));

test("a French browser gets the page in French, and the other language by one button", async () => {
  const { page, complaints, close } = await open(browser, (await hosting(site)).address, { locale: "fr-CA" });
  await waitForState(page, "ready");
  await page.waitForFunction(() => /gardé/.test(document.querySelector("#stored")?.textContent ?? ""));
  const french = await shown(page);
  assert.equal(french.lang, "fr");
  assert.match(french.title, /de quelle race/);
  assert.equal(french.knows, "Ce modèle connaît 120 races.");
  assert.equal(french.kept, 0, "nothing is stored for the browser's own language");

  const before = await classify(page, photo);
  assert.match(before[0].shown, /^[<>]?\d+\u00a0%$/);
  assert.deepEqual(before.map(({ id, name }) => name === french120.get(id)), [true, true, true], "breeds have their French names");
  await page.getByRole("button", { name: "English" }).click();
  const after = await answers(page);
  assert.deepEqual(after.map(({ id, probability }) => ({ id, probability })), before.map(({ id, probability }) => ({ id, probability })));
  assert.match(after[0].shown, /^[<>]?\d+%$/);
  assert.match(await page.getByRole("status").innerText(), /^Not sure\. It may be/);
  assert.match(String((await shown(page)).stored), /kept on this device/);

  await page.reload();
  await waitForState(page, "ready");
  const english = await shown(page);
  assert.equal(english.lang, "en", "the choice is remembered");
  assert.equal(english.question, "Which breed is this dog?");
  await page.getByRole("button", { name: "Français" }).click();
  assert.deepEqual({ ...(await shown(page)), stored: french.stored }, french, "choosing back forgets the choice");
  assert.deepEqual(complaints, []);
  await close();
});

test("all 120 breeds have names of their own in both languages", async () => {
  /** @type {{id: string, name: {en: string, fr: string}}[]} */
  const classes = JSON.parse(await readFile(join(site, "model", "model.json"), "utf8")).classes;
  assert.equal(french120.size, 120);
  for (const { id, name } of classes) assert.equal(name.fr, french120.get(id), name.en);
  for (const language of /** @type {const} */ (["en", "fr"])) {
    assert.equal(new Set(classes.map(({ name }) => name[language].toLowerCase())).size, 120, language);
  }
});

test("the list of breeds is found in either language, without accents too", async () => {
  const { page, close } = await open(browser, (await hosting(site)).address, { locale: "fr-FR" });
  await waitForState(page, "ready");
  await page.getByText("Toutes les races connues").click();
  const listed = () => page.locator("#breed-list > li").allInnerTexts();
  assert.deepEqual(await listed(), [...french120.values()].sort((a, b) => a.localeCompare(b, "fr")));
  const search = page.getByLabel("Chercher");
  await search.fill("epagneul  bret");
  assert.deepEqual(await listed(), ["Épagneul breton"]);
  await search.fill("german shepherd");
  assert.deepEqual(await listed(), ["Berger allemand"]);
  await page.getByRole("button", { name: "English" }).click();
  assert.deepEqual(await listed(), ["German shepherd"]);
  await page.getByLabel("Search").fill("cat");
  assert.equal(await page.locator("#breed-count").innerText(), "0 breeds");
  await close();
});

test("what goes wrong is told in French too, and told again when the language changes", async () => {
  const host = await hosting(site);
  host.faults.set("model/model.onnx.gz", truncated);
  const { page, close } = await open(browser, host.address, { locale: "fr-FR" });
  await waitForState(page, "error");
  assert.match(await alertText(page), /n’est pas arrivé entier \(model\/model\.onnx\.gz\)/);
  await page.getByRole("button", { name: "English" }).click();
  assert.match(await alertText(page), /did not arrive whole \(model\/model\.onnx\.gz\)/);
  await close();
});

test("each text of the page and each kind of failure has its French", async () => {
  const { page, close } = await open(browser, (await hosting(site)).address);
  const french = await page.evaluate(async () => {
    /** @type {typeof import("../../web/lib/texts/fr.js")} */
    const texts = await import(String(new URL("lib/texts/fr.js", location.href)));
    return { page: Object.keys(texts.page), failures: Object.keys(texts.failures) };
  });
  await close();

  const html = await readFile(join(project, "web", "index.html"), "utf8");
  const keys = [...html.matchAll(/data-(?:text|label)="([^"]+)"/g)].map(([, key]) => key);
  assert.deepEqual(french.page.toSorted(), [...new Set(keys)].toSorted());

  const scripts = ["web/worker.js", "web/main.js", ...(await readdir(join(project, "web", "lib"))).map((name) => `web/lib/${name}`)];
  const sources = await Promise.all(
    scripts.filter((path) => path.endsWith(".js")).map((path) => readFile(join(project, path), "utf8")),
  );
  const photoErrors = await readFile(join(project, "shared", "preprocess", "photo_error.hpp"), "utf8");
  const bindings = await readFile(join(project, "wasm", "preprocess_bindings.cpp"), "utf8");
  const kinds = new Set([
    ...sources.join().matchAll(/(?:new Failure\(|kind: )"(\w+)"/g),
    ...photoErrors.matchAll(/return "(\w+)"/g),
    ...bindings.matchAll(/guarded\("(\w+)"/g),
  ].map(([, kind]) => kind));
  assert.deepEqual(french.failures.toSorted(), [...kinds].toSorted());
});
