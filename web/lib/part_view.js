// @ts-check
// The part of the photo that the network looks at, as a square over it: moved and resized by pointer or by arrow keys.

import { inside, placeSquare, shownArea } from "./square.js";

/** @typedef {import("./preprocess.js").Square} Square */

const STEP = 0.03; // of the photo's shorter side, an arrow key
const REST = 250; // ms without another key before the new part is looked at

/**
 * @param {object} elements
 * @param {HTMLElement} elements.area          over the image
 * @param {HTMLElement} elements.box           the square
 * @param {HTMLButtonElement} elements.move    all of it but the corner
 * @param {HTMLButtonElement} elements.corner  resizes
 * @param {HTMLButtonElement} elements.button  shows the square, and hides it, which looks at the middle again
 * @param {HTMLImageElement} elements.image
 * @param {(square: Square | undefined) => void} look  is told the part that was chosen
 */
export function createPartView({ area, box, move, corner, button, image }, look) {
  /** @type {Square | undefined} */
  let square;
  /** @type {Square | undefined} that was looked at last: where the visitor begins */
  let seen;
  /** @type {number | undefined} */
  let rest;

  const draw = () => {
    const shown = square !== undefined && !image.hidden && image.naturalWidth > 0;
    area.hidden = !shown;
    button.setAttribute("aria-pressed", String(square !== undefined));
    button.hidden = seen === undefined || image.hidden;
    area.style.height = `${image.clientHeight}px`;
    if (shown && square) placeSquare(box, square, shownArea(image));
    box.dataset.square = JSON.stringify(square ?? null); // to the last digit, for tests
  };
  /** @param {Square} next */
  const change = (next) => {
    square = inside(next, shownArea(image));
    draw();
  };
  /** @param {number} wait */
  const lookSoon = (wait) => {
    clearTimeout(rest);
    rest = setTimeout(() => square && look(square), wait);
  };

  button.addEventListener("click", () => {
    clearTimeout(rest);
    if (square) {
      square = undefined;
      draw();
      look(undefined);
    } else if (seen) {
      change(seen);
      move.focus();
    }
  });
  for (const [handle, resizes] of /** @type {[HTMLElement, boolean][]} */ ([[move, false], [corner, true]])) {
    handle.addEventListener("pointerdown", (down) => {
      const from = square;
      if (!from) return;
      down.preventDefault(); // or the browser may begin to drag what lies under it
      handle.focus();
      const { width, height } = shownArea(image);
      handle.setPointerCapture(down.pointerId);
      const follow = (/** @type {PointerEvent} */ event) => {
        const [x, y] = [event.clientX - down.clientX, event.clientY - down.clientY];
        if (resizes) change({ ...from, side: from.side + (x + y) / 2 / Math.min(width, height) });
        else change({ ...from, left: from.left + x / width, top: from.top + y / height });
      };
      handle.addEventListener("pointermove", follow);
      handle.addEventListener("lostpointercapture", () => {
        handle.removeEventListener("pointermove", follow);
        lookSoon(0);
      }, { once: true });
    });
    handle.addEventListener("keydown", (event) => {
      const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
      if (!square || (x === 0 && y === 0)) return;
      event.preventDefault(); // the page would scroll
      const { width, height } = shownArea(image);
      const step = STEP * Math.min(width, height);
      if (resizes) change({ ...square, side: square.side + STEP * (x + y) });
      else change({ ...square, left: square.left + (x * step) / width, top: square.top + (y * step) / height });
      lookSoon(REST);
    });
  }
  image.addEventListener("load", draw);
  new ResizeObserver(draw).observe(image);

  return {
    /** Another photo, or none. */
    reset() {
      clearTimeout(rest);
      square = seen = undefined;
      draw();
    },
    /** @param {Square} looked  at, last */
    show(looked) {
      seen = looked;
      draw();
    },
    square: () => square,
  };
}
