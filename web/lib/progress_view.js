// @ts-check
// How much of the download has come, in bytes: a ball on a track for the eyes, a <progress> for
// screen readers, and the same in words, of all and of each part. The parts' lines are there from the
// start, so nothing moves when their numbers come.

import { decimal, inEachLanguage, words } from "./language.js";

/**
 * @param {object} elements
 * @param {HTMLElement} elements.track
 * @param {HTMLProgressElement} elements.progress
 * @param {HTMLElement} elements.text
 * @param {HTMLElement} elements.parts  with a [data-part] each
 */
export function createProgressView({ track, progress, text, parts: lines }) {
  /** @type {{done: number, total: number, parts: import("./site.js").PartProgress[]} | undefined} */
  let shown;
  const write = () => {
    if (!shown) text.textContent = words().starting;
    else if (shown.done === shown.total) text.textContent = words().startingModel;
    else text.textContent = words().progress(decimal(shown.done / 1e6), decimal(shown.total / 1e6));
    for (const line of lines.querySelectorAll("[data-part]")) line.textContent = "";
    for (const { what, done, total } of shown?.parts ?? []) {
      const line = lines.querySelector(`[data-part="${what}"]`);
      const [there, all] = [decimal(done / 1e6), decimal(total / 1e6)];
      if (line) line.textContent = done === total ? words().fetched(all) : words().progress(there, all);
    }
  };
  inEachLanguage(write);
  return {
    /**
     * @param {number} done   bytes
     * @param {number} total  bytes
     * @param {import("./site.js").PartProgress[]} parts
     */
    show(done, total, parts) {
      track.style.setProperty("--done", String(done / total));
      progress.max = total;
      progress.value = done;
      shown = { done, total, parts };
      write();
    },
    /** Before the sizes are known. */
    empty() {
      track.style.setProperty("--done", "0");
      progress.removeAttribute("value");
      shown = undefined;
      write();
    },
  };
}
