// @ts-check
// ouaf's page beside what else puts a classifier into a page: a bare page of transformers.js, a bare page of onnxruntime-web
// (both with a float32 EfficientNet-B0 of 21 MB, on the same static host), and Gradio, which runs ouaf's own model in Python
// on this machine. All in turns, each in fresh chromium profiles; medians over the rounds, and the medians of each round's
// ratio to ouaf.
//
//   bench/peers/setup.sh                     # once: the peers' packages, into build/peers
//   OUAF_SITE=build/site OUAF_MODEL=models/dogs OUAF_NODE_MODULES=build/deps/node_modules node bench/page_peers.mjs [ROUNDS]
//
// Prints tables in Markdown; the raw figures of each round go to build/peers/rounds.json.

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { launch } from "../tests/page/browser.mjs";
import { drawPicture } from "../tests/page/drawn_picture.mjs";
import { model, site } from "../tests/page/environment.mjs";
import { hostFolder } from "./peers/static_host.mjs";
import { median, visitAll } from "./peers/visits.mjs";

/** @typedef {import("./peers/visits.mjs").Contender} Contender */
/** @typedef {import("./peers/visits.mjs").Figures} Figures */

const here = dirname(fileURLToPath(import.meta.url));
const peers = join(here, "..", "build", "peers");
const rounds = Number(process.argv[2] ?? 5);
const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const seconds = (/** @type {number} */ value) => `${(value / 1000).toFixed(2)} s`;
const milliseconds = (/** @type {number} */ value) => `${value.toFixed(0)} ms`;
const megabytes = (/** @type {number} */ value) => `${(value / 1e6).toFixed(2)} MB`;

/** @type {[figure: string, text: string, write: (value: number) => string][]} */
const rows = [
  ["bytes", "first visit over the wire", megabytes],
  ["paint", "first contentful paint", seconds],
  ["largest", "largest contentful paint", seconds],
  ["shift", "cumulative layout shift", (value) => value.toFixed(3)],
  ["blocked", "total blocking time", milliseconds],
  ["ready", "first visit: ready", seconds],
  ["answer", "first visit: answer to a photo given at once", seconds],
  ["secondAnswer", "second visit: answer to a photo given at once", seconds],
  ["prediction", "further photo, first visit", milliseconds],
  ["secondPrediction", "further photo, second visit", milliseconds],
  ["offline", "answers without a network after that", (value) => (value ? "yes" : "no")],
  ["slowPaint", "over 4G: first contentful paint", seconds],
  ["slowInput", "over 4G: takes a photo", seconds],
  ["slowAnswer", "over 4G: answer to a photo given at once", seconds],
];

/** @type {{close(): void}[]} */
const open = [];
try {
  const contenders = await openContenders();
  const browser = await launch();
  const photo = (await drawPicture(browser)).toString("base64");
  await browser.close();

  /** @type {Map<string, Figures[]>} by contender, a round each */
  const measured = new Map(contenders.map(({ name }) => [name, []]));
  /** @type {Map<string, Set<string>>} */
  const asked = new Map(contenders.map(({ name }) => [name, new Set()]));
  for (let round = 1; round <= rounds; round++) {
    // Even rounds go backwards, so that nobody always follows the same one.
    for (const contender of round % 2 ? contenders : [...contenders].reverse()) {
      const { figures, others } = await visitAll(contender, photo);
      console.error(`round ${round} of ${rounds}, ${contender.name}: ${JSON.stringify(figures)}`);
      measured.get(contender.name)?.push(figures);
      for (const host of others) asked.get(contender.name)?.add(host);
    }
    writeFileSync(join(peers, "rounds.json"), JSON.stringify(Object.fromEntries(measured), undefined, 1));
  }
  report(contenders, measured, asked);
} finally {
  for (const each of open) each.close();
}

async function openContenders() {
  /** @param {string} folder @param {Record<string, string>} [headers] */
  const host = async (folder, headers = {}) => {
    const { port, close } = await hostFolder(folder, headers);
    open.push({ close });
    return port;
  };
  const transformers = await host(join(peers, "transformers"), isolation);
  const onnxruntime = await host(join(peers, "onnxruntime"), isolation);
  /** @type {Contender[]} */
  const contenders = [
    { name: "ouaf", port: await host(site), path: "", page: "states", whole: true },
    { name: "ouaf, isolated", port: await host(site, isolation), path: "", page: "states", whole: false },
    { name: "transformers.js", port: transformers, path: "", page: "states", whole: true },
    { name: "transformers.js, 2 threads", port: transformers, path: "?threads=2", page: "states", whole: false },
    { name: "onnxruntime-web", port: onnxruntime, path: "", page: "states", whole: true },
    { name: "onnxruntime-web, 2 threads", port: onnxruntime, path: "?threads=2", page: "states", whole: false },
    { name: "Gradio", port: await startGradio(), path: "", page: "gradio", whole: true },
  ];
  return contenders;
}

async function startGradio() {
  const port = await freePort();
  const program = spawn(join(peers, "python", "bin", "python"), [join(here, "peers", "gradio_app.py"), model ?? "", String(port)], {
    // What it would send about its use goes nowhere from here.
    env: { ...process.env, GRADIO_ANALYTICS_ENABLED: "False" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  open.push({ close: () => program.kill() });
  for (let tries = 0; tries < 600; tries++) {
    if (program.exitCode !== null) break;
    if (await fetch(`http://127.0.0.1:${port}/`).then(({ ok }) => ok, () => false)) return port;
    await wait(200);
  }
  throw new Error("Gradio did not start; its output says why. OUAF_MODEL has to name a bundle.");
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/**
 * @param {Contender[]} contenders
 * @param {Map<string, Figures[]>} measured
 * @param {Map<string, Set<string>>} asked
 */
function report(contenders, measured, asked) {
  const own = measured.get(contenders[0].name) ?? [];
  const names = contenders.map(({ name }) => name);
  console.log(`| | ${names.join(" | ")} |\n|---|${names.map(() => "---|").join("")}`);
  for (const [figure, text, write] of rows) {
    const cells = names.map((name, place) => {
      const values = (measured.get(name) ?? []).map((figures) => figures[figure]);
      if (values.some((value) => value === undefined)) return "";
      const ratio = median(values.map((value, round) => value / own[round][figure]));
      const beside = place > 0 && figure !== "offline" && Number.isFinite(ratio) ? ` (${ratio.toFixed(2)})` : "";
      return write(median(values)) + beside;
    });
    console.log(`| ${text} | ${cells.join(" | ")} |`);
  }
  console.log(`| other hosts asked | ${names.map((name) => asked.get(name)?.size ?? 0).join(" | ")} |`);
  for (const name of names) console.error(`${name} asked: ${[...(asked.get(name) ?? [])].join(", ") || "nobody else"}`);
}
