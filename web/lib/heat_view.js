// @ts-check
// Where the network looked, over the photo: the best class's activation map, which is as coarse as the network's last
// layer and drawn smooth. It covers the middle square that the network saw.

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
  let wanted = false;

  const place = () => {
    const show = wanted && heat !== undefined && !image.hidden && image.naturalWidth > 0;
    canvas.hidden = !show;
    button.hidden = heat === undefined || image.hidden;
    button.setAttribute("aria-pressed", String(wanted));
    if (!show || !heat) return;
    const { clientWidth: width, clientHeight: height } = image;
    const scale = Math.min(width / image.naturalWidth, height / image.naturalHeight);
    const side = Math.min(image.naturalWidth, image.naturalHeight) * scale * heat.share;
    canvas.style.width = canvas.style.height = `${side}px`;
    canvas.style.left = `${(width - side) / 2}px`;
    canvas.style.top = `${(height - side) / 2}px`;
  };
  button.addEventListener("click", () => {
    wanted = !wanted;
    place();
  });
  image.addEventListener("load", place);
  new ResizeObserver(place).observe(image);

  return {
    /** @param {Heat | undefined} next */
    show(next) {
      heat = next;
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
