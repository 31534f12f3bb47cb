// @ts-check
// Where the network looked, over the photo: the best class's activation map, which is as coarse as the network's last
// layer and drawn smooth. It covers the square that the network saw.

import { placeSquare, shownArea } from "./square.js";

/** @typedef {import("./classifier.js").Heat} Heat */

/**
 * @param {object} elements
 * @param {HTMLCanvasElement} elements.canvas  over the image, in the same frame
 * @param {HTMLImageElement} elements.image    shown as large as the frame lets it, whole
 * @param {HTMLButtonElement} elements.button  shows and hides
 */
export function createHeatView({ canvas, image, button }) {
  /** @type {Heat | undefined} */
  let heat;
  /** @type {import("./preprocess.js").Square | undefined} */
  let square;
  let wanted = false;

  const place = () => {
    const show = wanted && heat !== undefined && !image.hidden && image.naturalWidth > 0;
    canvas.hidden = !show;
    button.hidden = heat === undefined || image.hidden;
    button.setAttribute("aria-pressed", String(wanted));
    if (!show || !square) return;
    placeSquare(canvas, square, shownArea(image));
  };
  button.addEventListener("click", () => {
    wanted = !wanted;
    place();
  });
  image.addEventListener("load", place);
  new ResizeObserver(place).observe(image);

  return {
    /**
     * @param {Heat} [next]  nothing without
     * @param {import("./preprocess.js").Square} [where]  it lies
     */
    show(next, where) {
      heat = next;
      square = where;
      if (heat) paint(canvas, heat);
      place();
    },
  };
}

/**
 * A pixel a place, the stronger the less transparent; the browser smooths between them.
 * @param {HTMLCanvasElement} canvas
 * @param {Heat} heat
 */
function paint(canvas, { values, width, height }) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) return;
  const largest = Math.max(...values);
  const pixels = context.createImageData(width, height);
  values.forEach((value, place) => {
    const share = largest > 0 ? Math.max(0, value / largest) : 0;
    pixels.data.set([255, Math.round(60 + 160 * share), 30, Math.round(210 * share)], place * 4);
  });
  context.putImageData(pixels, 0, 0);
}
