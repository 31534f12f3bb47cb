// @ts-check
// What preprocessing costs in the page: the median time of a whole prediction (from the encoded
// photo to named breeds) against that of the bare network on a tensor that is ready, both warm,
// taken in turns in the same chromium with one thread. Goal: whole <= 1.15 x bare.
//
//   OUAF_SITE=build/site OUAF_NODE_MODULES=... node bench/page_latency.mjs PHOTO [TIMES]
//
// Prints one JSON object; exit code 1 where the goal is missed.

import { openClassifier } from "../tests/page/blank.mjs";
import { site } from "../tests/page/environment.mjs";

/** @typedef {import("../web/lib/classifier.js").Classifier} Classifier */

const [photo, times = "60"] = process.argv.slice(2);
if (!photo) {
  console.error("usage: node page_latency.mjs PHOTO [TIMES]");
  process.exit(2);
}

const { page, close } = await openClassifier(site);
try {
  await page.setInputFiles("#given", photo);
  const report = await page.evaluate(async (times) => {
    /** @type {Classifier} */
    const classifier = Reflect.get(window, "classifier");
    const input = /** @type {HTMLInputElement} */ (document.querySelector("#given"));
    const bytes = new Uint8Array((await input.files?.[0].arrayBuffer()) ?? []);
    const { model } = classifier;
    const feeds = { [model.input]: model.wrap(classifier.preprocessor.prepare(bytes).tensor) };

    const runs = {
      bare: () => model.session.run(feeds, [model.outputs.logits]),
      whole: () => classifier.predict(bytes),
    };
    /** @param {() => Promise<unknown>} run */
    const time = async (run) => {
      const start = performance.now();
      await run();
      return performance.now() - start;
    };
    for (let i = 0; i < 5; i++) await runs.bare(), await runs.whole();
    /** @type {number[]} */
    const bare = [];
    /** @type {number[]} */
    const whole = [];
    for (let i = 0; i < times; i++) {
      bare.push(await time(runs.bare));
      whole.push(await time(runs.whole));
    }
    /** @param {number[]} list */
    const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
    const { width, height, preprocessMs } = await classifier.predict(bytes);
    return { times, width, height, bytes: bytes.length, bare_ms: median(bare), whole_ms: median(whole), last_preprocess_ms: preprocessMs };
  }, Number(times));
  const ratio = report.whole_ms / report.bare_ms;
  console.log(JSON.stringify({ ...report, ratio: Number(ratio.toFixed(3)) }));
  process.exitCode = ratio <= 1.15 ? 0 : 1;
} finally {
  await close();
}
