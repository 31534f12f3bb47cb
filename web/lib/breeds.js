// @ts-check
// The classes that the model knows, with their names by language as model.json has them.

import { language } from "./language.js";

/** @typedef {{id: string, name: Record<string, string>}} Breed  "en" is always among the names */

/** @type {Map<string, Breed>} */
const known = new Map();

/** @param {Breed[]} breeds  of the model that was loaded */
export function learnBreeds(breeds) {
  known.clear();
  for (const breed of breeds) known.set(breed.id, breed);
}

export const knownBreeds = () => [...known.values()];

/**
 * In the visitor's language; in English where model.json has no other.
 * @param {string} id
 */
export function breedName(id) {
  const name = known.get(id)?.name;
  return name?.[language()] ?? name?.en ?? id;
}
