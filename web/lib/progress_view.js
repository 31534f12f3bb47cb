// @ts-check
// How much of the download has come, in bytes: a ball on a track for the eyes, a <progress> for
// screen readers, and the same in words.

import { decimal, inEachLanguage, words } from "./language.js";

/**
 * @param {object} elements
 * @param {HTMLElement} elements.track
 * @param {HTMLProgressElement} elements.progress
 * @param {HTMLElement} elements.text
 */
export function createProgressView({ track, progress, text }) {
  /** @type {{done: number, total: number} | undefined} */
  let shown;
  const write = () => {
    if (!shown) text.textContent = words().starting;
    else if (shown.done === shown.total) text.textContent = words().startingModel;
    else text.textContent = words().progress(decimal(shown.done / 1e6), decimal(shown.total / 1e6));
  };
  inEachLanguage(write);
  return {
    /**
     * @param {number} done   bytes
     * @param {number} total  bytes
     */
    show(done, total) {
      track.style.setProperty("--done", String(done / total));
      progress.max = total;
      progress.value = done;
      shown = { done, total };
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
