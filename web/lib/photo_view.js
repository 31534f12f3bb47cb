// @ts-check
// The photo in its frame. The browser shows it from the visitor's own file; where it cannot (not
// every format that is recognised can be shown everywhere, and not every file is a picture), the
// frame shows the drawn dog.

import { inEachLanguage, words } from "./language.js";

/**
 * @param {HTMLImageElement} image
 * @param {HTMLElement} choose  what the frame says to do next
 */
export function createPhotoView(image, choose) {
  const page = document.documentElement;
  const write = () => {
    choose.textContent = page.dataset.photo ? words().chooseAnother : words().choose;
    image.alt = words().photo;
  };
  inEachLanguage(write);

  const empty = () => {
    if (image.src) URL.revokeObjectURL(image.src);
    image.removeAttribute("src");
    image.hidden = true;
    delete page.dataset.photo;
    write();
  };
  image.addEventListener("load", () => {
    image.hidden = false;
    page.dataset.photo = "shown";
    write();
  });
  image.addEventListener("error", empty);

  return {
    empty,
    /** @param {Blob} photo */
    show(photo) {
      const previous = image.src;
      image.src = URL.createObjectURL(photo);
      if (previous) URL.revokeObjectURL(previous);
    },
  };
}
