// @ts-check
// Squares of a photo, on the screen: where an image that is shown whole lies in its frame, and a part of it in that.

/** @typedef {import("./preprocess.js").Square} Square */
/** @typedef {{left: number, top: number, width: number, height: number}} Area  in CSS pixels */

/**
 * @param {HTMLImageElement} image  object-fit: contain
 * @returns {Area}  in the image's frame
 */
export function shownArea(image) {
  const scale = Math.min(image.clientWidth / image.naturalWidth, image.clientHeight / image.naturalHeight);
  const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
  return { left: (image.clientWidth - width) / 2, top: (image.clientHeight - height) / 2, width, height };
}

/**
 * @param {HTMLElement} element  laid out by its frame's corner
 * @param {Square} square
 * @param {Area} area
 */
export function placeSquare({ style }, { left, top, side }, area) {
  style.width = style.height = `${side * Math.min(area.width, area.height)}px`;
  style.left = `${area.left + left * area.width}px`;
  style.top = `${area.top + top * area.height}px`;
}

/**
 * Moved and resized so that it lies inside the photo.
 * @param {Square} square
 * @param {Area} area
 * @returns {Square}
 */
export function inside({ left, top, side }, { width, height }) {
  const kept = Math.min(1, Math.max(SMALLEST, side));
  const pixels = kept * Math.min(width, height);
  const within = (/** @type {number} */ share, /** @type {number} */ whole) => Math.min(1 - pixels / whole, Math.max(0, share));
  return { left: within(left, width), top: within(top, height), side: kept };
}

const SMALLEST = 0.15; // of the shorter side: less is a blur
