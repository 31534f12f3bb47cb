// @ts-check
// The breeds found, the most likely first, as bars. Each carries its class id and its full
// probability in data attributes, for tests and assistive tools.

/** @typedef {import("./preprocess.js").Prediction} Prediction */

/**
 * @param {object} elements
 * @param {HTMLElement} elements.list
 * @param {HTMLElement} elements.took
 * @param {HTMLElement} elements.spoken  what a screen reader says at once
 */
export function createAnswerView({ list, took, spoken }) {
  return {
    empty() {
      list.replaceChildren();
      took.textContent = "";
      spoken.textContent = "";
    },
    /**
     * @param {Prediction[]} predictions
     * @param {number} milliseconds
     */
    show(predictions, milliseconds) {
      list.replaceChildren(...predictions.map(row));
      took.textContent = `Took ${duration(milliseconds)} on this device.`;
      const words = predictions.map(({ name, probability }) => `${name}, ${percent(probability)}`);
      spoken.textContent = `Most likely ${words.join("; then ")}.`;
    },
  };
}

/** @param {Prediction} prediction */
function row({ id, name, probability }) {
  const item = element("li", "answer");
  item.dataset.prediction = "";
  item.dataset.id = id;
  item.dataset.probability = String(probability);

  const bar = element("div", "bar");
  bar.setAttribute("aria-hidden", "true"); // the percentage says the same
  const filled = element("div", "");
  filled.style.setProperty("--part", String(probability));
  bar.append(filled);

  item.append(element("span", "name", name), element("span", "share", percent(probability)), bar);
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

/**
 * Never "100%" or "0%": the model is never certain.
 * @param {number} probability
 */
function percent(probability) {
  if (probability >= 0.995) return ">99%";
  if (probability < 0.005) return "<1%";
  return `${Math.round(probability * 100)}%`;
}

/** @param {number} milliseconds */
function duration(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
