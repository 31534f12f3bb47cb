// @ts-check
// The ways photos come in, one or several: chosen, dropped anywhere on the page, or pasted.

// Far above any photo (the preprocessing takes at most 100 megapixels), and below what would
// choke a phone that has to read it.
const LARGEST_FILE = 200e6;

/**
 * @param {Blob} photo
 * @returns {import("./failure.js").Told | undefined}
 */
export function refusedBySize(photo) {
  if (photo.size <= LARGEST_FILE) return undefined;
  const megabytes = LARGEST_FILE / 1e6;
  return { kind: "file_too_large", message: `This file is larger than ${megabytes} MB. Choose a smaller photo.`, values: { megabytes } };
}

/**
 * @param {HTMLInputElement} input
 * @param {(photos: File[]) => void} take  one at least
 */
export function listenForPhotos(input, take) {
  const pass = (/** @type {FileList | null | undefined} */ files) => {
    if (files?.length) take([...files]);
  };
  const passChosen = () => {
    pass(input.files);
    input.value = ""; // so that choosing the same file again is a change too
  };
  input.addEventListener("change", passChosen);
  passChosen(); // before there was anybody to hear of it

  const page = document.documentElement;
  const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    page.toggleAttribute("data-dragging", true);
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) page.toggleAttribute("data-dragging", false); // left the window, not just an element
  });
  addEventListener("drop", (event) => {
    page.toggleAttribute("data-dragging", false);
    if (!carriesFiles(event)) return;
    event.preventDefault(); // or the browser would leave the page to show the file
    pass(event.dataTransfer?.files);
  });

  addEventListener("paste", (event) => {
    pass(event.clipboardData?.files);
  });
}
