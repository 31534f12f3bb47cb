// @ts-check
// Answers that the visitor says are wrong: notes kept in this browser, never a photo, until the visitor saves them as a
// file for whoever trains the model, or forgets them.

import { breedName, knownBreeds } from "./breeds.js";
import { inEachLanguage, language, words } from "./language.js";
import { saveFile } from "./save_file.js";
import { hashOf } from "./store.js";

/** @typedef {import("./preprocess.js").Answer} Answer */
/**
 * @typedef {object} Flag
 * @property {string} time                  ISO 8601
 * @property {string} said                  an id of the model's, "not_a_dog" or "another_breed"
 * @property {Answer["verdict"]} verdict    that the model had
 * @property {{id: string, probability: number}[]} predictions  the likeliest first, three at most
 * @property {{name: string, bytes: number, sha256?: string}} photo
 * @property {{name: string, version: string, sha256: string}} model
 */

const remembered = "ouaf flags";
const others = ["not_a_dog", "another_breed"];

/**
 * @param {object} elements
 * @param {HTMLDetailsElement} elements.area
 * @param {HTMLSelectElement} elements.choice
 * @param {HTMLButtonElement} elements.keep
 * @param {HTMLElement} elements.said    that it was kept
 * @param {HTMLElement} elements.all     how many there are, with what can be done with them
 * @param {HTMLElement} elements.count
 * @param {HTMLButtonElement} elements.save
 * @param {HTMLButtonElement} elements.forget
 */
export function createFlags({ area, choice, keep, said, all, count, save, forget }) {
  let flags = recall();
  /** @type {{photo: File, answer: Answer} | undefined} */
  let shown;
  /** @type {Flag["model"]} */
  let model = { name: "", version: "", sha256: "" };

  const draw = () => {
    all.hidden = flags.length === 0;
    count.textContent = words().flagged(flags.length);
    const chosen = choice.value;
    const breeds = knownBreeds().map(({ id }) => ({ id, name: breedName(id) }));
    breeds.sort((a, b) => a.name.localeCompare(b.name, language()));
    choice.replaceChildren(
      new Option(words().choosesBreed, ""),
      ...others.map((id) => new Option(words().otherThan[id], id)),
      ...breeds.map(({ id, name }) => new Option(name, id)),
    );
    choice.value = chosen;
    keep.disabled = !choice.value;
  };
  inEachLanguage(draw);
  choice.addEventListener("change", () => {
    keep.disabled = !choice.value;
    said.textContent = "";
  });
  keep.addEventListener("click", async () => {
    if (!shown) return;
    const { photo, answer } = shown;
    const sha256 = await hashOf(new Uint8Array(await photo.arrayBuffer()));
    flags.push({
      time: new Date().toISOString(),
      said: choice.value,
      verdict: answer.verdict,
      predictions: answer.predictions.slice(0, 3).map(({ id, probability }) => ({ id, probability })),
      photo: { name: photo.name, bytes: photo.size, sha256 },
      model,
    });
    store(flags);
    choice.value = "";
    said.textContent = words().flagKept;
    draw();
  });
  save.addEventListener("click", () => {
    saveFile(new Blob([JSON.stringify({ format: 1, flags }, null, 1)], { type: "application/json" }), "ouaf_flags.json");
  });
  forget.addEventListener("click", () => {
    flags = [];
    store(flags);
    draw();
  });

  return {
    /** @param {Flag["model"]} loaded  the breeds are known by now */
    ready(loaded) {
      model = loaded;
      draw();
    },
    /**
     * Nothing to be flagged, or an answer that may be.
     * @param {File} [photo]
     * @param {Answer} [answer]
     */
    show(photo, answer) {
      shown = photo && answer && { photo, answer };
      area.hidden = !shown;
      area.open = false;
      choice.value = "";
      keep.disabled = true;
      said.textContent = "";
    },
  };
}

/** @returns {Flag[]} */
function recall() {
  try {
    const found = JSON.parse(localStorage.getItem(remembered) ?? "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return []; // a window that stores nothing, or what is no list
  }
}

/** @param {Flag[]} flags */
function store(flags) {
  try {
    if (flags.length) localStorage.setItem(remembered, JSON.stringify(flags));
    else localStorage.removeItem(remembered);
  } catch {
    // They last as long as this window.
  }
}
