// @ts-check
// The language that the page speaks: the browser's, until the visitor chooses the other one. The
// choice is remembered only where it differs from the browser's, so choosing back forgets it.

import { en } from "./texts/en.js";
import * as french from "./texts/fr.js";

/** @typedef {"en" | "fr"} Language */
/** @typedef {import("./failure.js").Told} Told */

const remembered = "ouaf language";
/** @type {Language} */
let current = "en";
/** @type {(() => void)[]} */
const followers = [];

export const language = () => current;
export const words = () => (current === "fr" ? french.fr : en);

/**
 * Calls back now and whenever the visitor changes the language.
 * @param {() => void} draw
 */
export function inEachLanguage(draw) {
  followers.push(draw);
  draw();
}

/**
 * What went wrong, in the visitor's language; in English where no translation is known.
 * @param {Told} failure
 */
export function failureText({ kind, message, values }) {
  return (current === "fr" && french.failures[kind]?.(values ?? {})) || message;
}

/**
 * Never "100%" or "0%": the model is never certain.
 * @param {number} probability
 */
export function percent(probability) {
  if (probability >= 0.995) return `>${words().percent(99)}`;
  if (probability < 0.005) return `<${words().percent(1)}`;
  return words().percent(Math.round(probability * 100));
}

/** @param {number} milliseconds */
export function duration(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${decimal(milliseconds / 1000)} s`;
}

/** With one digit after the point, or the comma. @param {number} number */
export function decimal(number) {
  return number.toLocaleString(current, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/**
 * Translates index.html in place and lets `button` change the language.
 * @param {HTMLButtonElement} button
 */
export function speak(button) {
  const browsers = navigator.language.startsWith("fr") ? "fr" : "en";
  const texts = [...document.querySelectorAll("[data-text]")].map((element) => ({
    key: element.getAttribute("data-text") ?? "",
    english: element.textContent ?? "",
    set: (/** @type {string} */ text) => void (element.textContent = text),
  }));
  const labels = [...document.querySelectorAll("[data-label]")].map((element) => ({
    key: element.getAttribute("data-label") ?? "",
    english: element.getAttribute("aria-label") ?? "",
    set: (/** @type {string} */ text) => element.setAttribute("aria-label", text),
  }));
  const show = (/** @type {Language} */ chosen) => {
    current = chosen;
    document.documentElement.lang = chosen;
    for (const { key, english, set } of [...texts, ...labels]) set(chosen === "fr" ? french.page[key] : english);
    const other = chosen === "fr" ? "en" : "fr";
    button.lang = other;
    button.textContent = { en: "English", fr: "Français" }[other];
    for (const draw of followers) draw();
  };
  button.addEventListener("click", () => {
    show(current === "fr" ? "en" : "fr");
    remember(current === browsers ? undefined : current);
  });
  show(recall() ?? browsers);
}

/** @returns {Language | undefined} */
function recall() {
  try {
    const found = localStorage.getItem(remembered);
    return found === "en" || found === "fr" ? found : undefined;
  } catch {
    return undefined; // a window that stores nothing says so by an exception
  }
}

/** @param {Language | undefined} chosen */
function remember(chosen) {
  try {
    if (chosen) localStorage.setItem(remembered, chosen);
    else localStorage.removeItem(remembered);
  } catch {
    // The choice lasts as long as this window.
  }
}
