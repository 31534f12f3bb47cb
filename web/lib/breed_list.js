// @ts-check
// All breeds that the model knows, by name in the visitor's language. The search finds a breed by its
// name in either language, with or without accents.

import { breedName, knownBreeds } from "./breeds.js";
import { inEachLanguage, language, words } from "./language.js";

/**
 * @param {object} elements
 * @param {HTMLInputElement} elements.search
 * @param {HTMLElement} elements.count  how many were found, spoken too
 * @param {HTMLElement} elements.list
 */
export function createBreedList({ search, count, list }) {
  const draw = () => {
    const wanted = plain(search.value).split(/\s+/);
    const found = knownBreeds().filter(({ name }) => {
      const names = plain(Object.values(name).join(" "));
      return wanted.every((word) => names.includes(word));
    });
    const names = found.map(({ id }) => breedName(id)).sort((a, b) => a.localeCompare(b, language()));
    list.replaceChildren(...names.map((name) => {
      const item = document.createElement("li");
      item.textContent = name;
      return item;
    }));
    count.textContent = words().breedsFound(names.length);
  };
  inEachLanguage(draw);
  search.addEventListener("input", draw);
  return { draw };
}

/** @param {string} text  as it is compared: without case, accents and signs */
function plain(text) {
  return text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/[^\p{L}\p{N}]+/gu, " ").trim();
}
