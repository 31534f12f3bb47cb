// @ts-check
// The page: connects what the visitor does to the worker, and the worker's messages to what is
// shown. Its one state is <html data-state>: loading, ready, busy, done or error; style.css shows
// the matching part.

import { createAnswerView } from "./lib/answer_view.js";
import { knownBreeds, learnBreeds } from "./lib/breeds.js";
import { createFlags } from "./lib/flags.js";
import { createHeatView } from "./lib/heat_view.js";
import { failureText, inEachLanguage, speak, words } from "./lib/language.js";
import { createStorageView, takeNewVersion, workOffline } from "./lib/offline.js";
import { listenForPhotos, refusedBySize } from "./lib/photo_input.js";
import { createBreedList } from "./lib/breed_list.js";
import { createCamera } from "./lib/camera.js";
import { createCardView } from "./lib/card_view.js";
import { showExamples } from "./lib/examples.js";
import { cardIsFaster, recallOutcome } from "./lib/graphics_card.js";
import { createManyView } from "./lib/many_view.js";
import { createPartView } from "./lib/part_view.js";
import { createPhotoView } from "./lib/photo_view.js";
import { createProgressView } from "./lib/progress_view.js";
import { WorkerClient } from "./lib/worker_client.js";

const TOP = 10;

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function part(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html has no #${id}`);
  return found;
}

const page = document.documentElement;
speak(part("language", HTMLButtonElement));
const input = part("photo", HTMLInputElement);
const panel = part("panel", HTMLElement);
const message = part("message", HTMLElement);
const retry = part("retry", HTMLButtonElement);
const photoView = createPhotoView(part("shown", HTMLImageElement), part("choose", HTMLElement));
const progressView = createProgressView({
  track: part("track", HTMLElement),
  progress: part("progress", HTMLProgressElement),
  text: part("progress-text", HTMLElement),
  parts: part("progress-parts", HTMLElement),
});
const heatView = createHeatView({
  canvas: part("heat", HTMLCanvasElement),
  image: part("shown", HTMLImageElement),
  button: part("show-heat", HTMLButtonElement),
});
const answerView = createAnswerView({
  verdict: part("verdict", HTMLElement),
  remark: part("remark", HTMLElement),
  list: part("answers", HTMLElement),
  others: part("others", HTMLElement),
  more: part("more", HTMLButtonElement),
  copy: part("copy", HTMLButtonElement),
  picture: part("picture", HTMLButtonElement),
  photo: part("shown", HTMLImageElement),
  took: part("took", HTMLElement),
  spoken: part("spoken", HTMLElement),
});

const flags = createFlags({
  area: part("flag", HTMLDetailsElement),
  choice: part("flag-choice", HTMLSelectElement),
  keep: part("flag-keep", HTMLButtonElement),
  said: part("flag-said", HTMLElement),
  all: part("flags", HTMLElement),
  count: part("flags-count", HTMLElement),
  save: part("flags-save", HTMLButtonElement),
  forget: part("flags-forget", HTMLButtonElement),
});

const partView = createPartView(
  {
    area: part("part", HTMLElement),
    box: part("part-box", HTMLElement),
    move: part("part-move", HTMLButtonElement),
    corner: part("part-corner", HTMLButtonElement),
    button: part("choose-part", HTMLButtonElement),
    image: part("shown", HTMLImageElement),
  },
  () => askAgain(),
);

const breedList = createBreedList({
  search: part("breed-search", HTMLInputElement),
  count: part("breed-count", HTMLElement),
  list: part("breed-list", HTMLElement),
});

const manyView = createManyView(
  {
    section: part("many", HTMLElement),
    title: part("many-title", HTMLElement),
    sort: part("many-sort", HTMLSelectElement),
    csv: part("many-csv", HTMLButtonElement),
    close: part("many-close", HTMLButtonElement),
    progress: part("many-progress", HTMLProgressElement),
    cards: part("cards", HTMLElement),
    spoken: part("many-spoken", HTMLElement),
  },
  {
    async ask(photo) {
      const tooLarge = refusedBySize(photo);
      return tooLarge ? { type: "refused", id: 0, ...tooLarge } : worker.askQueued(photo, TOP);
    },
    choose(photo) {
      take(photo);
      part("answers", HTMLElement).closest("main")?.scrollIntoView({ block: "start" });
    },
  },
);

const storageView = createStorageView(
  {
    text: part("stored", HTMLElement),
    button: part("clear", HTMLButtonElement),
  },
  () => cardView.forget(),
);

// On a first visit the page's files are fetched for later when everything that this visit needs is there.
const firstVisit = !navigator.serviceWorker?.controller;
const keepOffline = () => workOffline(() => (part("new-version", HTMLElement).hidden = false));

let modelReady = false;
/** @type {File | undefined} the newest photo that has no answer yet */
let waiting;
/** @type {File | undefined} that is in the frame */
let shown;
/** Whether each photo is looked at mirrored too. */
let mirrored = false;
/** @typedef {import("./lib/failure.js").Told} Told */
/** @type {Told | undefined} what the message says, in no language yet */
let told;

const worker = new WorkerClient((news) => {
  switch (news.type) {
    case "progress":
      progressView.show(news.done, news.total, news.parts);
      break;
    case "ready":
      modelReady = true;
      learnBreeds(news.breeds);
      flags.ready(news.model);
      drawKnows();
      breedList.draw();
      showExamples(part("examples", HTMLElement), news.examples, (photo) => takeAll([photo]));
      if (waiting) ask(waiting);
      else if (page.dataset.state === "loading") setState(told ? "error" : "ready");
      break;
    case "stored":
      storageView.show(news.state, news.bytes);
      // Offered where its files can be kept, and where the processor has all its threads to be compared with: a host that
      // does not isolate the page leaves it one thread on a first visit.
      if (news.state === "kept" && (crossOriginIsolated || !firstVisit)) cardView.show(news.card);
      if (firstVisit) keepOffline();
      break;
    case "answer":
      waiting = undefined;
      answerView.show(news, news.milliseconds);
      heatView.show(news.heat, news.square);
      partView.show(news.square);
      flags.show(shown, news);
      setState("done");
      part("answers", HTMLElement).closest("section")?.scrollIntoView({ block: "nearest" });
      break;
    case "refused":
      refuse(news);
      break;
    case "card_failed":
      modelReady = false;
      cardView.failed();
      worker.start(false);
      break;
    case "failed":
      modelReady = false;
      retry.hidden = false;
      say(news);
      setState("error");
      break;
  }
});

const cardView = createCardView(
  {
    area: part("graphics", HTMLElement),
    text: part("graphics-said", HTMLElement),
    button: part("graphics-try", HTMLButtonElement),
  },
  worker,
  (bytes) => {
    storageView.show("kept", bytes);
    if (waiting) ask(waiting);
  },
);

/** @param {File[]} photos  the first is shown at once; several get a list */
function takeAll(photos) {
  if (photos.length > 1) manyView.show(photos);
  else manyView.close();
  take(photos[0]);
}

/** @param {File} photo */
function take(photo) {
  camera.stop();
  holdPlace();
  answerView.empty();
  heatView.show();
  flags.show();
  partView.reset();
  shown = undefined;
  const tooLarge = refusedBySize(photo);
  if (tooLarge) {
    worker.forget();
    photoView.empty();
    refuse(tooLarge);
    return;
  }
  photoView.show(photo);
  waiting = shown = photo;
  if (modelReady) ask(photo);
  else if (retry.hidden) say(undefined); // still loading: the photo waits; after a failure its message stays
}

/** @param {File} photo */
function ask(photo) {
  say(undefined);
  setState("busy");
  worker.ask(photo, TOP, { mirrored, square: partView.square() });
}

/**
 * The photo is at fault; the next one may be fine.
 * @param {Told} why
 */
function refuse(why) {
  waiting = undefined;
  if (!retry.hidden) return; // without a model, that message matters more
  say(why);
  if (modelReady) setState("error");
}

/** @param {Told | undefined} failure */
function say(failure) {
  told = failure;
  drawMessage();
}

function drawMessage() {
  message.textContent = told ? failureText(told) : "";
}

function drawKnows() {
  if (modelReady) part("knows", HTMLElement).textContent = words().knows(knownBreeds().length);
}

/** One answer follows another in the same place: what stands below does not jump meanwhile. */
function holdPlace() {
  panel.style.minHeight = `${panel.offsetHeight}px`;
}

/** @param {"loading" | "ready" | "busy" | "done" | "error"} state */
function setState(state) {
  if (state === "busy") holdPlace();
  else panel.style.minHeight = "";
  page.dataset.state = state;
}

const mirror = part("mirrored", HTMLButtonElement);
mirror.addEventListener("click", () => {
  mirrored = !mirrored;
  mirror.setAttribute("aria-pressed", String(mirrored));
  askAgain();
});

/** The same photo, looked at in another way. */
function askAgain() {
  if (modelReady && shown) ask((waiting = shown));
}

retry.addEventListener("click", () => {
  retry.hidden = true;
  input.focus({ preventScroll: true }); // the button is gone; do not lose a keyboard user's place
  say(undefined);
  progressView.empty();
  setState("loading");
  worker.start(true);
});

const camera = createCamera(
  {
    area: part("camera", HTMLElement),
    video: part("camera-picture", HTMLVideoElement),
    open: part("camera-open", HTMLButtonElement),
    shutter: part("camera-shutter", HTMLButtonElement),
    turn: part("camera-turn", HTMLButtonElement),
    close: part("camera-close", HTMLButtonElement),
  },
  {
    begin() {
      worker.forget();
      waiting = shown = undefined;
      photoView.empty();
      flags.show();
      partView.reset();
      answerView.empty();
      heatView.show();
    },
    end() {
      answerView.empty();
      if (modelReady) setState("ready");
    },
    async look(photo) {
      const outcome = await worker.askQueued(photo, TOP);
      if (outcome.type !== "answer" || !camera.live()) return;
      say(undefined);
      answerView.show(outcome, outcome.milliseconds, false);
      setState("done");
    },
    keep: (photo) => takeAll([photo]),
    refuse(failure) {
      say(failure);
      if (modelReady) setState("error");
    },
  },
);

inEachLanguage(drawKnows);
inEachLanguage(drawMessage);
page.dataset.started = "";
const outcome = recallOutcome();
worker.start(false, outcome && cardIsFaster(outcome) ? outcome.key : undefined);
listenForPhotos(input, takeAll);

part("take-version", HTMLButtonElement).addEventListener("click", takeNewVersion);
if (!firstVisit) keepOffline();
