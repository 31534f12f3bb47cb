// @ts-check
// Photos to try, where the host has some (`ouaf publish --examples`). One that cannot be fetched is left out:
// they are not kept for later, so without a network there are none.

import { inEachLanguage, words } from "./language.js";

/**
 * @param {HTMLElement} area
 * @param {string[]} paths  relative to the page
 * @param {(photo: File) => void} take
 */
export function showExamples(area, paths, take) {
  area.replaceChildren(...paths.map((path, index) => {
    const address = path.split("/").map(encodeURIComponent).join("/");
    const button = document.createElement("button");
    button.type = "button";
    const image = document.createElement("img");
    image.loading = "lazy";
    image.addEventListener("error", () => button.remove());
    image.src = address;
    inEachLanguage(() => (image.alt = words().example(index + 1)));
    button.append(image);
    button.addEventListener("click", async () => {
      try {
        const blob = await (await fetch(address)).blob();
        take(new File([blob], path.slice(path.lastIndexOf("/") + 1), { type: blob.type }));
      } catch {
        button.remove();
      }
    });
    return button;
  }));
  area.hidden = paths.length === 0;
}
