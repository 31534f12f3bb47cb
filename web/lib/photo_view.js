// @ts-check
// The photo in its frame. The browser shows it from the visitor's own file; where it cannot (not
// every format that is recognised can be shown everywhere, and not every file is a picture), the
// frame shows the drawn dog.

/**
 * @param {HTMLImageElement} image
 * @param {HTMLElement} choose  what the frame says to do next
 */
export function createPhotoView(image, choose) {
  const page = document.documentElement;

  const empty = () => {
    if (image.src) URL.revokeObjectURL(image.src);
    image.removeAttribute("src");
    image.hidden = true;
    delete page.dataset.photo;
    choose.textContent = "Choose a photo";
  };
  image.addEventListener("load", () => {
    image.hidden = false;
    page.dataset.photo = "shown";
    choose.textContent = "Choose another";
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
