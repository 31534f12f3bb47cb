// @ts-check
// What the page says of the graphics card: the offer to try it, how the trial goes, and what came of it, at this visit
// and at later ones.

import { cardIsFaster, forgetOutcome, recallOutcome, tryCard } from "./graphics_card.js";
import { decimal, duration, failureText, inEachLanguage, words } from "./language.js";

/**
 * @param {object} elements
 * @param {HTMLElement} elements.area
 * @param {HTMLElement} elements.text
 * @param {HTMLButtonElement} elements.button
 * @param {import("./worker_client.js").WorkerClient} worker
 * @param {(bytes: number) => void} onCard  the card's worker has taken the place of the processor's; how much is stored now
 */
export function createCardView({ area, text, button }, worker, onCard) {
  /** @type {import("./site.js").Card | undefined} what can be tried */
  let offer;
  let said = () => "";
  let failed = false;

  const draw = () => {
    text.textContent = said();
    button.textContent = offer ? words().tryCard(megabytes(offer.bytes)) : "";
    button.hidden = !offer;
    area.hidden = !text.textContent;
  };
  /**
   * @param {() => string} sentence  in the language of the moment
   * @param {boolean} [passing]      soon to be replaced: not read aloud
   */
  const say = (sentence, passing = false) => {
    text.setAttribute("aria-busy", String(passing));
    said = sentence;
    draw();
  };
  const sayOutcome = (/** @type {import("./graphics_card.js").Outcome} */ outcome) => {
    const [card, processor] = [outcome.card, outcome.processor].map(duration);
    say(() => (cardIsFaster(outcome) ? words().cardFaster(card, processor) : words().cardSlower(card, processor)));
  };
  inEachLanguage(draw);

  button.addEventListener("click", async () => {
    const tried = offer;
    if (!tried) return;
    offer = undefined;
    try {
      const { outcome, faster } = await tryCard(tried, worker, (done, total) =>
        done < total ? say(() => words().cardComes(megabytes(done), megabytes(total)), true) : say(() => words().cardTimed),
      );
      if (faster) {
        worker.adopt(faster.client);
        onCard(faster.bytes);
      }
      sayOutcome(outcome);
    } catch (failure) {
      offer = tried;
      const why = /** @type {import("./failure.js").Failure} */ (failure);
      say(() => `${failureText(why)} ${words().processorStays}`);
    }
  });

  return {
    /** @param {import("./site.js").Card | undefined} card  nothing where the device has none that can be used */
    show(card) {
      if (!card || failed) return;
      const outcome = recallOutcome();
      if (outcome?.key === card.key) return sayOutcome(outcome);
      offer = card;
      say(() => words().cardOffer);
    },
    /** The card that was to be used is gone, or does not do. */
    failed() {
      failed = true;
      say(() => words().cardGone);
    },
    /** Forgets what came of a trial. */
    forget() {
      forgetOutcome();
      offer = undefined;
      say(() => "");
    },
  };
}

/** @param {number} bytes */
const megabytes = (bytes) => decimal(bytes / 1e6);
