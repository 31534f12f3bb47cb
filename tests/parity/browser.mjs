// @ts-check
// The browser's side of the parity test: what the published site makes of each file, in the real
// chromium, to be compared with what the native build makes of it.
//
//   OUAF_SITE=build/site OUAF_NODE_MODULES=... node tests/parity/browser.mjs LIST OUT.jsonl
//
// LIST has one path a line. OUT gets one object a line, in the same order:
//   {"file", "width", "height", "tensor": SHA-256 of its bytes (float32, little-endian), "logits": [...]}
//   {"file", "error": kind, "message"}

import { readFileSync, writeFileSync } from "node:fs";
import { openClassifier } from "../page/blank.mjs";
import { site } from "../page/environment.mjs";

/** @typedef {import("../../web/lib/classifier.js").Classifier} Classifier */

const [list, out] = process.argv.slice(2);
if (!out) {
  console.error("usage: node browser.mjs LIST OUT.jsonl");
  process.exit(2);
}
const files = readFileSync(list, "utf8").split("\n").filter(Boolean);

const { page, close } = await openClassifier(site);
try {
  const lines = [];
  for (const file of files) {
    await page.setInputFiles("#given", file);
    const result = await page.evaluate(async () => {
      /** @type {Classifier} */
      const classifier = Reflect.get(window, "classifier");
      const input = /** @type {HTMLInputElement} */ (document.querySelector("#given"));
      const photo = new Uint8Array((await input.files?.[0].arrayBuffer()) ?? []);
      try {
        const { tensor, width, height } = classifier.preprocessor.prepare(photo);
        const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", tensor));
        const logits = [...(await classifier.model.run(tensor)).logits];
        return { width, height, tensor: [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join(""), logits };
      } catch (error) {
        const { kind, message } = /** @type {{kind?: string, message: string}} */ (error);
        return { error: kind ?? "crashed", message };
      }
    });
    lines.push(JSON.stringify({ file, ...result }));
  }
  writeFileSync(out, `${lines.join("\n")}\n`);
} finally {
  await close();
}
