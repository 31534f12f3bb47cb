// @ts-check
// The ways a photo comes in: chosen, dropped anywhere on the page, or pasted.

/**
 * @param {HTMLInputElement} input
 * @param {(photo: File) => void} take
 */
export function listenForPhotos(input, take) {
  input.addEventListener("change", () => {
    const photo = input.files?.[0];
    if (photo) take(photo);
    input.value = ""; // so that choosing the same file again is a change too
  });

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
    const photo = event.dataTransfer?.files[0];
    if (photo) take(photo);
  });

  addEventListener("paste", (event) => {
    const photo = event.clipboardData?.files[0];
    if (photo) take(photo);
  });
}
