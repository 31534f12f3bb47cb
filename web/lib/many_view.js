// @ts-check
// Several photos: a card each with what the model sees in it, sorted as the visitor likes, and all of
// it as a CSV file. A card chosen is shown above like any single photo. Thumbnails are small pictures of
// their own, which the browser decodes where they are in sight: hundreds of photos fit into a phone's memory.

import { breedName } from "./breeds.js";
import { toCsv } from "./csv.js";
import { failureText, inEachLanguage, percent, words } from "./language.js";
import { saveFile } from "./save_file.js";

/** @typedef {import("./worker_client.js").Outcome} Outcome */
/** @typedef {{photo: File, item: HTMLLIElement, outcome?: Outcome}} Card */

const THUMBNAIL = 240; // pixels wide: sharp on a card, and some 8 KB

/**
 * @param {object} elements
 * @param {HTMLElement} elements.section
 * @param {HTMLElement} elements.title
 * @param {HTMLSelectElement} elements.sort
 * @param {HTMLButtonElement} elements.csv
 * @param {HTMLButtonElement} elements.close
 * @param {HTMLProgressElement} elements.progress
 * @param {HTMLElement} elements.cards
 * @param {HTMLElement} elements.spoken
 * @param {object} actions
 * @param {(photo: File) => Promise<Outcome>} actions.ask
 * @param {(photo: File) => void} actions.choose
 */
export function createManyView({ section, title, sort, csv, close, progress, cards: list, spoken }, { ask, choose }) {
  /** @type {Card[]} in the order given */
  let cards = [];

  const drawHead = () => {
    const done = cards.filter(({ outcome }) => outcome).length;
    title.textContent = words().photos(done, cards.length);
    progress.max = cards.length || 1;
    progress.value = done;
    progress.toggleAttribute("data-full", done === cards.length);
    csv.disabled = done === 0;
    spoken.textContent = cards.length && done === cards.length ? words().photosDone(done) : "";
  };
  const arrange = () => list.replaceChildren(...sorted(cards, sort.value).map(({ item }) => item));
  inEachLanguage(() => {
    drawHead();
    cards.forEach(write);
    if (sort.value === "breed") arrange();
  });

  const empty = () => {
    cards = [];
    list.replaceChildren();
    section.hidden = true;
  };
  sort.addEventListener("change", arrange);
  csv.addEventListener("click", () => saveFile(new Blob([toCsv(words().csvHead, cards.map(line))], { type: "text/csv" }), words().csvFile));
  close.addEventListener("click", empty);

  return {
    close: empty,
    /** @param {File[]} photos */
    async show(photos) {
      const mine = photos.map((photo) => ({ photo, item: makeItem(photo, choose) }));
      cards = mine;
      section.hidden = false;
      mine.forEach(write);
      drawHead();
      arrange();
      for (const card of /** @type {Card[]} */ (mine)) {
        const [outcome] = await Promise.all([ask(card.photo), drawThumbnail(card)]);
        if (cards !== mine) return; // others have taken their place
        card.outcome = outcome;
        write(card);
        drawHead();
      }
      if (sort.value !== "given") arrange(); // at the end only: cards that move cannot be read
    },
  };
}

/**
 * @param {File} photo
 * @param {(photo: File) => void} choose
 */
function makeItem(photo, choose) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "card";
  const image = document.createElement("img");
  image.alt = "";
  const frame = document.createElement("span");
  frame.className = "thumbnail"; // its place is kept for the picture
  frame.append(image);
  button.append(frame, ...["name", "share", "file"].map((name) => {
    const span = document.createElement("span");
    span.className = name;
    return span;
  }));
  button.addEventListener("click", () => choose(photo));
  item.append(button);
  return item;
}

/** @param {Card} card */
function write({ photo, item, outcome }) {
  const put = (/** @type {string} */ part, /** @type {string} */ text) => {
    const span = item.querySelector(`.${part}`);
    if (span) span.textContent = text;
  };
  put("file", photo.name);
  const answer = outcome?.type === "answer" ? outcome : undefined;
  const best = answer && answer.verdict !== "none" ? answer.predictions[0] : undefined;
  const without = answer ? words().verdict.none : outcome ? words().notRead : words().waiting;
  put("name", best ? breedName(best.id) : without);
  put("share", best ? percent(best.probability) : "");
  item.toggleAttribute("data-unsure", answer?.verdict === "unsure");
  item.title = outcome && outcome.type !== "answer" ? failureText(outcome) : "";
}

/** @param {Card} card */
async function drawThumbnail({ photo, item }) {
  try {
    const bitmap = await createImageBitmap(photo, { resizeWidth: THUMBNAIL, resizeQuality: "medium" });
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    bitmap.close();
    const image = item.querySelector("img");
    if (!image) return;
    image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
    image.src = URL.createObjectURL(await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 }));
    canvas.width = canvas.height = 0; // its pixels go now, not with the next garbage collection
  } catch {
    // Not every format that is recognised can be shown everywhere; the card has its file's name.
  }
}

/** @param {Card} card */
const certainty = ({ outcome }) => (outcome?.type === "answer" ? outcome.predictions[0].probability : -1);
/** @param {Card} card */
const breedOf = ({ outcome }) => (outcome?.type === "answer" ? breedName(outcome.predictions[0].id) : "\uffff");

/**
 * @param {Card[]} cards
 * @param {string} by
 */
function sorted(cards, by) {
  const compare = {
    file: (/** @type {Card} */ a, /** @type {Card} */ b) => a.photo.name.localeCompare(b.photo.name, undefined, { numeric: true }),
    breed: (/** @type {Card} */ a, /** @type {Card} */ b) => breedOf(a).localeCompare(breedOf(b)) || certainty(b) - certainty(a),
    certain: (/** @type {Card} */ a, /** @type {Card} */ b) => certainty(b) - certainty(a),
    uncertain: (/** @type {Card} */ a, /** @type {Card} */ b) => certainty(a) - certainty(b),
  }[by];
  return compare ? [...cards].sort(compare) : cards;
}

/** @param {Card} card  as a line of the CSV file: see csvHead in texts/ */
function line({ photo, outcome }) {
  if (outcome?.type !== "answer") return [photo.name, ...Array(8).fill(""), outcome ? failureText(outcome) : words().waiting];
  const [first, second, third] = outcome.predictions.map(({ id, probability }) => [breedName(id), id, probability.toFixed(4)]);
  return [photo.name, words().csvVerdict[outcome.verdict], ...first, second?.[0] ?? "", second?.[2] ?? "", third?.[0] ?? "", third?.[2] ?? "", ""];
}
