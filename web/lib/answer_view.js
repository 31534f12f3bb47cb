// @ts-check
// The breeds found, the most likely first, as bars. Each carries its class id and its full
// probability in data attributes, for tests and assistive tools.

import { breedName } from "./breeds.js";
import { duration, inEachLanguage, percent, words } from "./language.js";

/** @typedef {import("./preprocess.js").Prediction} Prediction */

/**
 * @param {object} elements
 * @param {HTMLElement} elements.list
 * @param {HTMLElement} elements.took
 * @param {HTMLElement} elements.spoken  what a screen reader says at once
 */
export function createAnswerView({ list, took, spoken }) {
  /** @type {{predictions: Prediction[], milliseconds: number} | undefined} */
  let shown;

  const draw = () => {
    if (!shown) return;
    const { predictions, milliseconds } = shown;
    list.replaceChildren(...predictions.map(row));
    took.textContent = words().took(duration(milliseconds));
    spoken.textContent = words().mostLikely(predictions.map(({ id, probability }) => `${breedName(id)}, ${percent(probability)}`));
  };
  inEachLanguage(draw);

  return {
    empty() {
      shown = undefined;
      list.replaceChildren();
      took.textContent = "";
      spoken.textContent = "";
    },
    /**
     * @param {Prediction[]} predictions
     * @param {number} milliseconds
     */
    show(predictions, milliseconds) {
      shown = { predictions, milliseconds };
      draw();
    },
  };
}

/** @param {Prediction} prediction */
function row({ id, probability }) {
  const item = element("li", "answer");
  item.dataset.prediction = "";
  item.dataset.id = id;
  item.dataset.probability = String(probability);

  const bar = element("div", "bar");
  bar.setAttribute("aria-hidden", "true"); // the percentage says the same
  const filled = element("div", "");
  filled.style.setProperty("--part", String(probability));
  bar.append(filled);

  item.append(element("span", "name", breedName(id)), element("span", "share", percent(probability)), bar);
  return item;
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
