// @ts-check
// How much of the download has come, in bytes: a ball on a track for the eyes, a <progress> for
// screen readers, and the same in words.

/**
 * @param {object} elements
 * @param {HTMLElement} elements.track
 * @param {HTMLProgressElement} elements.progress
 * @param {HTMLElement} elements.text
 */
export function createProgressView({ track, progress, text }) {
  return {
    /**
     * @param {number} done   bytes
     * @param {number} total  bytes
     */
    show(done, total) {
      track.style.setProperty("--done", String(done / total));
      progress.max = total;
      progress.value = done;
      text.textContent = done < total ? `${megabytes(done)} of ${megabytes(total)} MB` : "Starting the model";
    },
    /** Before the sizes are known. */
    empty() {
      track.style.setProperty("--done", "0");
      progress.removeAttribute("value");
      text.textContent = "Starting";
    },
  };
}

/** @param {number} bytes */
function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}
