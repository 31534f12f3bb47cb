// @ts-check
// An answer as a picture to share: the photo, and under it the breeds with their bars.

/** @typedef {{name: string, share: string, probability: number}} Line */

const WIDTH = 800;
const MARGIN = 40;
const ROW = 76;
const FONT = "system-ui, sans-serif";

/**
 * @param {HTMLImageElement} photo  none is drawn where the browser can't show it
 * @param {string} heading
 * @param {Line[]} lines
 * @returns {Promise<Blob>}  a PNG file
 */
export function drawAnswer(photo, heading, lines) {
  const { naturalWidth, naturalHeight } = photo;
  const photoHeight = naturalWidth > 0 ? Math.min(WIDTH, Math.round((WIDTH * naturalHeight) / naturalWidth)) : 0;
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = photoHeight + 2 * MARGIN + 44 + lines.length * ROW;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const colour = (/** @type {string} */ name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  context.fillStyle = colour("--card");
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (photoHeight > 0) {
    const scale = Math.min(WIDTH / naturalWidth, photoHeight / naturalHeight);
    const [width, height] = [naturalWidth * scale, naturalHeight * scale];
    context.fillStyle = colour("--pale");
    context.fillRect(0, 0, WIDTH, photoHeight);
    context.drawImage(photo, (WIDTH - width) / 2, (photoHeight - height) / 2, width, height);
  }
  let top = photoHeight + MARGIN;
  const write = (/** @type {string} */ text, /** @type {string} */ font, /** @type {string} */ ink, right = false) => {
    context.font = `${font} ${FONT}`;
    context.fillStyle = colour(ink);
    context.textAlign = right ? "right" : "left";
    context.fillText(text, right ? WIDTH - MARGIN : MARGIN, top + 28, WIDTH - 2 * MARGIN - (right ? 0 : 120));
  };
  write(heading, "600 28px", "--soft");
  top += 52;
  lines.forEach(({ name, share, probability }, place) => {
    write(capital(name), place === 0 ? "700 34px" : "400 28px", "--ink");
    write(share, "600 28px", place === 0 ? "--ink" : "--soft", true);
    bar(context, top + 42, 1, colour("--pale"));
    bar(context, top + 42, probability, colour("--pine"));
    top += ROW;
  });
  return new Promise((settle, refuse) => {
    canvas.toBlob((blob) => (blob ? settle(blob) : refuse(new Error("no PNG encoder"))), "image/png");
  });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} top
 * @param {number} share  of the width
 * @param {string} colour
 */
function bar(context, top, share, colour) {
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(MARGIN, top, Math.max(10, share * (WIDTH - 2 * MARGIN)), 10, 5);
  context.fill();
}

const capital = (/** @type {string} */ name) => name.charAt(0).toUpperCase() + name.slice(1);
