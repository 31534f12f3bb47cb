// @ts-check
// What the scripts say, in English. What stands in index.html is English there. An error's English
// is where it is thrown (failure.js): it also reaches people who use the modules without the page.

export const en = {
  choose: "Choose a photo",
  chooseAnother: "Choose another",
  photo: "The photo you chose",
  knows: (/** @type {number} */ classes) => `This model knows ${classes} breeds.`,
  example: (/** @type {number} */ number) => `Try example ${number}`,
  breedsFound: (/** @type {number} */ found) => (found === 1 ? "1 breed" : `${found} breeds`),
  starting: "Starting",
  startingModel: "Starting the model",
  progress: (/** @type {string} */ done, /** @type {string} */ total) => `${done} of ${total} MB`,
  fetched: (/** @type {string} */ total) => `${total} MB, here`,
  percent: (/** @type {number} */ rounded) => `${rounded}%`,
  took: (/** @type {string} */ duration) => `Took ${duration} on this device.`,
  verdict: { sure: "Most likely", unsure: "Not sure. It may be", none: "I see no dog here" },
  nearest: "The nearest breeds, for what that is worth:",
  spoken: {
    sure: (/** @type {string[]} */ answers) => `Most likely ${answers.join("; then ")}.`,
    unsure: (/** @type {string[]} */ answers) => `Not sure. It may be ${answers.join("; then ")}.`,
    none: (/** @type {string[]} */ answers) => `I see no dog here. The nearest would be ${answers.join("; then ")}.`,
  },
  couldBe: (/** @type {string} */ breed) => `Could also be: ${breed}.`,
  copy: "Copy",
  copied: "Copied",
  picture: "Copy as picture",
  pictureFile: "breed.png",
  choosesBreed: "choose",
  otherThan: /** @type {Record<string, string>} */ ({ not_a_dog: "not a dog", another_breed: "another breed, or a mixed one" }),
  flagged: (/** @type {number} */ count) => (count === 1 ? "1 note of a wrong answer." : `${count} notes of wrong answers.`),
  flagKept: "Noted, in this browser only. What you have noted stands at the foot of the page.",
  more: "More breeds",
  fewer: "Fewer breeds",
  photos: (/** @type {number} */ done, /** @type {number} */ all) =>
    done < all ? `${done} of ${all} photos recognised` : `${all} photos`,
  photosDone: (/** @type {number} */ all) => `All ${all} photos have their answer below.`,
  waiting: "waiting",
  notRead: "not recognised",
  csvFile: "breeds.csv",
  csvVerdict: { sure: "sure", unsure: "not sure", none: "no dog" },
  csvHead: ["file", "answer", "breed", "id", "probability", "second breed", "probability", "third breed", "probability", "error"],
  kept: (/** @type {number} */ megabytes) =>
    `The model is kept on this device (${megabytes} MB), so the page works without a network.`,
  full: "This device has no space left to keep the model: it is fetched anew at each visit.",
  refused: "This window keeps nothing (a private one, or an address without https): the model is fetched anew at each visit.",
  freed: "The space is free again. The next visit fetches the model anew.",
  cardOffer: "The graphics card may answer faster.",
  tryCard: (/** @type {string} */ megabytes) => `Try it (downloads ${megabytes} MB)`,
  cardComes: (/** @type {string} */ done, /** @type {string} */ total) => `For the graphics card: ${done} of ${total} MB`,
  cardTimed: "Timing the graphics card and the processor",
  cardFaster: (/** @type {string} */ card, /** @type {string} */ processor) =>
    `The graphics card answers in ${card}, the processor in ${processor}: the card is used.`,
  cardSlower: (/** @type {string} */ card, /** @type {string} */ processor) =>
    `The processor answers in ${processor}, the graphics card in ${card}: the processor is used.`,
  cardGone: "The graphics card cannot be used at this visit: the processor answers.",
  processorStays: "The processor goes on.",
};
