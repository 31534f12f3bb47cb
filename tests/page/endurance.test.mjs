// @ts-check
// A long afternoon: a list of 200 photos, then 500 single ones in a row, in memory that does not grow; and
// the page itself stays free to answer its visitor meanwhile: nothing on its own thread takes 50 ms.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { settings } from "./browser.mjs";
import { fromNodeModules, site } from "./environment.mjs";
import { hosting, photo } from "./fixture.mjs";

const ALLOWED = 50; // MB
const LONGEST = 50; // ms

// Only with a garbage collection before each look do two looks compare. No other browser has this flag.
const collecting = "--js-flags=--expose-gc";

/** Of all processes of this browser that show pages, in MB. */
async function megabytes() {
  let kilobytes = 0;
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (!command.includes("--type=renderer") || !command.includes(collecting)) continue;
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    kilobytes += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  }
  return kilobytes / 1024;
}

/**
 * The tasks of the page's own thread, longest first, in ms of that thread's processor time: on a busy machine
 * the clock would count what others do. Those that the test itself is the cause of, through DevTools, are left out.
 * @param {Uint8Array} trace
 */
function tasksOfThePage(trace) {
  /** @typedef {{name: string, ph: string, pid: number, tid: number, ts: number, dur?: number, tdur?: number, args: any}} Event */
  /** @type {Event[]} */
  const events = JSON.parse(new TextDecoder().decode(trace)).traceEvents;
  const thread = (/** @type {Event} */ { pid, tid }) => `${pid} ${tid}`;
  const pages = new Set(events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(thread));
  const mine = events.filter((event) => event.ph === "X" && pages.has(thread(event)));
  const tests = mine.filter(({ args }) => args.chrome_mojo_event_info?.mojo_interface_tag === "blink.mojom.DevToolsSession");
  const holds = (/** @type {Event} */ task, /** @type {Event} */ { ts }) => task.ts <= ts && ts <= task.ts + (task.dur ?? 0);
  return mine
    .filter((task) => task.name === "ThreadControllerImpl::RunTask" && !tests.some((message) => holds(task, message)))
    .map(({ tdur = 0 }) => tdur / 1000)
    .sort((a, b) => b - a);
}

test("200 photos in a list and 500 in a row: memory stays flat, and the page free", async (t) => {
  // Not by playwright: what records a page's requests keeps the body of each, every photo that is shown among them.
  const { executablePath, args } = settings([collecting]);
  /** @type {import("puppeteer-core").Browser} */
  const browser = await fromNodeModules("puppeteer-core").launch({ executablePath, args, networkEnabled: false, protocolTimeout: 900_000 });
  t.after(() => browser.close());
  const page = await browser.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on("console", (message) => void (["error", "warn"].includes(message.type()) && complaints.push(message.text())));
  page.on("pageerror", (error) => complaints.push(String(error)));
  // Decoded pictures that no longer show are kept by the browser until it is short of memory. It is told so.
  const session = await page.createCDPSession();
  // Of four looks the least counts: what a collection finalises the next one frees, and the browser's own threads give
  // memory back when they come to it. What leaks is there at all of them.
  const look = async () => {
    let least = Infinity;
    for (let i = 0; i < 4; i++) {
      await page.evaluate(() => /** @type {() => void} */ (Reflect.get(window, "gc"))());
      await session.send("Memory.simulatePressureNotification", { level: "critical" });
      await setTimeout(500);
      least = Math.min(least, await megabytes());
    }
    return least;
  };
  await page.tracing.start({ categories: ["toplevel"] });
  await page.goto((await hosting(site)).address);
  await page.waitForFunction(() => document.documentElement.dataset.state === "ready", { timeout: 120_000 });

  // The photos are made and given inside the page, small ones: what grows does so whatever their size.
  await page.evaluate(async (bytes) => {
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)]), { resizeWidth: 400 });
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    /** @type {OffscreenCanvasRenderingContext2D | null} */ (canvas.getContext("2d"))?.drawImage(bitmap, 0, 0);
    const blob = await canvas.convertToBlob({ type: "image/jpeg" });
    const give = (/** @type {number} */ count) => {
      const dataTransfer = new DataTransfer();
      for (let i = 0; i < count; i++) dataTransfer.items.add(new File([blob], `${i}.jpg`, { type: "image/jpeg" }));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    };
    Reflect.set(window, "give", give);
    Reflect.set(window, "giveInARow", async (/** @type {number} */ times) => {
      for (let i = 0; i < times; i++) {
        give(1);
        if (document.documentElement.dataset.state !== "busy") throw new Error("the photo was not taken");
        await new Promise((answered) => {
          const observer = new MutationObserver(() => {
            if (document.documentElement.dataset.state === "busy") return;
            observer.disconnect();
            answered(undefined);
          });
          observer.observe(document.documentElement, { attributeFilter: ["data-state"] });
        });
      }
      return document.documentElement.dataset.state;
    });
  }, [...photo.buffer]);

  assert.equal(await page.evaluate(() => Reflect.get(window, "giveInARow")(5)), "done");
  const begin = await look();
  assert.ok(begin > 50, `${begin} MB: the browser's processes were not found`);
  await page.evaluate(() => Reflect.get(window, "give")(200));
  await page.waitForFunction(() => document.querySelector("#many-title")?.textContent === "200 photos", { timeout: 900_000 });
  const list = await look();
  await page.locator("#many-close").click();
  const tasks = tasksOfThePage(/** @type {Uint8Array} */ (await page.tracing.stop()));
  t.diagnostic(`the page's longest tasks of ${tasks.length}: ${tasks.slice(0, 5).map((ms) => Math.round(ms)).join(", ")} ms`);

  assert.equal(await page.evaluate(() => Reflect.get(window, "giveInARow")(20)), "done");
  const warm = await look();
  assert.equal(await page.evaluate(() => Reflect.get(window, "giveInARow")(480)), "done");
  const end = await look();
  t.diagnostic(`MB: ${Math.round(begin)}, after the list ${Math.round(list)}, after it was closed ${Math.round(warm)}, at the end ${Math.round(end)}`);

  assert.ok(tasks.length > 1000, `${tasks.length} tasks: the trace is not of the page`);
  assert.ok(tasks[0] < LONGEST, `the page was busy for ${tasks[0]} ms`);
  assert.ok(list - begin < ALLOWED, `a list of 200 photos took ${list - begin} MB`);
  assert.ok(end - warm < ALLOWED, `480 photos took ${end - warm} MB`);
  assert.deepEqual(complaints, []);
});
