// @ts-check
// Photos in formats that the C++ side does not read (AVIF; HEIC on Apple's devices): the browser's own
// decoder makes a PNG of them. For those only: each browser decodes a little differently, and some add
// noise to what is read back from a canvas.

/**
 * @param {Blob} photo
 * @returns {Promise<Uint8Array<ArrayBuffer> | undefined>}  a PNG file; nothing where this browser cannot read it either
 */
export async function decodedByBrowser(photo) {
  try {
    const bitmap = await createImageBitmap(photo);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    bitmap.close();
    const png = await canvas.convertToBlob({ type: "image/png" });
    return new Uint8Array(await png.arrayBuffer());
  } catch {
    return undefined;
  }
}

/**
 * Whether the file is HEIC, which iPhones make and few browsers read: its message can say what helps.
 * @param {Blob} photo
 */
export async function isHeic(photo) {
  const head = new TextDecoder("latin1").decode(await photo.slice(0, 64).arrayBuffer());
  return /^....ftyp.*(heic|heix|heim|hevc)/s.test(head); // its own kind, or among those that it is compatible with
}
