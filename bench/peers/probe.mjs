// @ts-check
// What runs inside each page that is compared, from before its first script on: gives it the photo as soon as it can take one,
// and notes when things happen, in milliseconds after the navigation began. It needs nothing of the page but its DOM.

/**
 * @typedef {object} Seen
 * @property {number} [input]  the page can take a photo
 * @property {number} [ready]  all that an answer needs is there; as late as the answer, where a photo waits for that
 * @property {number} [answer] the answer to the photo given at once
 * @property {number} [paint]  first contentful paint
 * @property {number} [largest] largest contentful paint
 * @property {number} shift    cumulative layout shift
 * @property {number} blocked  what tasks of the page's main thread took beyond 50 ms each, after the first paint
 */

/**
 * @typedef {object} Probe
 * @property {Seen} seen
 * @property {Promise<void>} ready
 * @property {Promise<void>} answered  never, where no photo is given
 * @property {() => Promise<number>} again  milliseconds from another giving of the photo to its answer
 */

/**
 * Self-contained: it travels to the page as text.
 * @param {object} options
 * @param {"states" | "gradio"} options.page  how the page shows its state: <html data-state>, or as Gradio's interface
 * @param {string} [options.photo]            base64 of a JPEG to give at once
 */
export function probe({ page, photo }) {
  /** @type {Seen} */
  const seen = { shift: 0, blocked: 0 };
  /** @type {(selector: string) => HTMLElement | null} */
  const find = (selector) => document.querySelector(selector);
  const button = (/** @type {string} */ name) =>
    [...document.querySelectorAll("button")].find((each) => each.textContent?.trim() === name);
  const state = () => document.documentElement?.dataset.state ?? "";
  const takesPhotos = () => /** @type {HTMLInputElement | null} */ (document.querySelector("html[data-started] #photo"));
  const empty = () => /** @type {HTMLInputElement | null} */ (document.querySelector("input[type=file]"));
  const previewed = () => document.querySelector("[data-testid=image] img, .image-frame img");
  const labelled = () => document.querySelector("[data-testid=label-output-value]");

  const driver = {
    states: {
      input: takesPhotos,
      ready: () => ["ready", "done"].includes(state()),
      async submit() {},
      answered: () => state() === "done",
      async reset() {},
    },
    gradio: {
      input: empty,
      ready: () => Boolean(empty() && button("Submit")),
      async submit() {
        await until(previewed);
        button("Submit")?.click();
      },
      answered: () => Boolean(labelled()),
      async reset() {
        button("Clear")?.click();
        await until(() => !previewed() && !labelled() && empty());
      },
    },
  }[page];

  /**
   * @template T
   * @param {() => T} condition
   * @returns {Promise<NonNullable<T>>}
   */
  function until(condition) {
    return new Promise((resolve) => {
      const look = () => {
        const found = condition();
        if (!found) return;
        observer.disconnect();
        resolve(found);
      };
      const observer = new MutationObserver(look);
      observer.observe(document, { subtree: true, childList: true, attributes: true });
      look();
    });
  }

  /** @param {HTMLInputElement} input @param {File} file */
  function give(input, file) {
    const transfer = new DataTransfer();
    transfer.items.add(file);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  const file = new File([Uint8Array.from(atob(photo ?? ""), (letter) => letter.charCodeAt(0))], "photo.jpg", { type: "image/jpeg" });

  async function first() {
    const input = await until(driver.input);
    seen.input = performance.now();
    if (!photo) return new Promise(() => {});
    give(input, file);
    await driver.submit();
    await until(driver.answered);
    seen.answer = performance.now();
  }

  async function again() {
    await driver.reset();
    const input = await until(driver.input);
    const start = performance.now();
    give(input, file);
    await driver.submit();
    await until(driver.answered);
    return performance.now() - start;
  }

  /** @param {string} type @param {(entry: any) => void} note */
  const watch = (type, note) => new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
  watch("paint", (entry) => {
    if (entry.name === "first-contentful-paint") seen.paint = entry.startTime;
  });
  watch("largest-contentful-paint", (entry) => (seen.largest = entry.startTime));
  watch("layout-shift", (entry) => (seen.shift += entry.value));
  watch("longtask", (entry) => {
    if (entry.startTime + entry.duration > (seen.paint ?? 0)) seen.blocked += entry.duration - 50;
  });

  /** @type {Probe} */
  const result = {
    seen,
    ready: until(driver.ready).then(() => void (seen.ready = performance.now())),
    answered: first(),
    again,
  };
  Reflect.set(window, "probe", result);
}
