// @ts-check
// The breeds found, the most likely first, as bars, under what the answer is worth. Each carries its class id and its full
// probability in data attributes, for tests and assistive tools.

import { drawAnswer } from "./answer_picture.js";
import { breedName } from "./breeds.js";
import { duration, inEachLanguage, language, percent, words } from "./language.js";
import { alike } from "./look_alikes.js";
import { saveFile } from "./save_file.js";

/** @typedef {import("./preprocess.js").Answer} Answer */
/** @typedef {import("./preprocess.js").Prediction} Prediction */

const FEW = 3;

/**
 * @param {object} elements
 * @param {HTMLElement} elements.verdict  the heading
 * @param {HTMLElement} elements.remark   what follows it
 * @param {HTMLElement} elements.list
 * @param {HTMLElement} elements.others  breeds that it could also be, and how to tell
 * @param {HTMLButtonElement} elements.more  shows all, and few again
 * @param {HTMLButtonElement} elements.copy  puts the answer into the clipboard, as text
 * @param {HTMLButtonElement} elements.picture  the same as a picture, or into a file where the clipboard takes none
 * @param {HTMLImageElement} elements.photo    drawn into it
 * @param {HTMLElement} elements.took
 * @param {HTMLElement} elements.spoken  what a screen reader says at once
 */
export function createAnswerView({ verdict, remark, list, others, more, copy, picture, photo, took, spoken }) {
  /** @type {{answer: Answer, milliseconds: number, aloud: boolean} | undefined} */
  let shown;
  let all = false;

  const draw = () => {
    if (!shown) return;
    const { answer, milliseconds, aloud } = shown;
    const few = answer.predictions.slice(0, FEW);
    verdict.textContent = words().verdict[answer.verdict];
    remark.textContent = answer.verdict === "none" ? words().nearest : "";
    list.dataset.verdict = answer.verdict;
    list.replaceChildren(...(all ? answer.predictions : few).map(row));
    const pairs = answer.verdict === "none" || !aloud ? [] : alike(answer.predictions);
    others.replaceChildren(...pairs.map((pair) => {
      const item = element("li", "", ` ${pair[language()]}`);
      item.prepend(element("strong", "", words().couldBe(breedName(pair.other))));
      return item;
    }));
    copy.textContent = words().copy;
    picture.textContent = words().picture;
    copy.hidden = !navigator.clipboard; // an address without https
    more.textContent = all ? words().fewer : words().more;
    more.setAttribute("aria-expanded", String(all));
    more.hidden = answer.predictions.length <= FEW;
    took.textContent = words().took(duration(milliseconds));
    if (!aloud) return;
    spoken.textContent = words().spoken[answer.verdict](few.map(({ id, probability }) => `${breedName(id)}, ${percent(probability)}`));
  };
  more.addEventListener("click", () => {
    all = !all;
    draw();
  });
  copy.addEventListener("click", async () => {
    if (!shown) return;
    const { heading, lines } = written(shown.answer, all ? undefined : FEW);
    await navigator.clipboard.writeText([heading, ...lines.map(({ share, name }) => `${share}  ${name}`)].join("\n"));
    copy.textContent = words().copied;
  });
  picture.addEventListener("click", async () => {
    if (!shown) return;
    const { heading, lines } = written(shown.answer, all ? undefined : FEW);
    const drawn = drawAnswer(photo, heading, lines);
    try {
      await navigator.clipboard.write([new ClipboardItem({ "image/png": drawn })]);
      picture.textContent = words().copied;
    } catch {
      saveFile(await drawn, words().pictureFile); // no clipboard, or one that takes no pictures
    }
  });
  inEachLanguage(draw);

  return {
    empty() {
      shown = undefined;
      all = false;
      list.replaceChildren();
      others.replaceChildren();
      took.textContent = "";
      spoken.textContent = "";
    },
    /**
     * @param {Answer} answer
     * @param {number} milliseconds
     * @param {boolean} [aloud]  not of a camera's picture: no one can listen as fast as it sees
     */
    show(answer, milliseconds, aloud = true) {
      shown = { answer, milliseconds, aloud };
      draw();
    },
  };
}

/**
 * @param {Answer} answer
 * @param {number} [most]
 */
function written({ verdict, predictions }, most) {
  return {
    heading: words().verdict[verdict],
    lines: predictions.slice(0, most).map(({ id, probability }) => ({ name: breedName(id), share: percent(probability), probability })),
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
