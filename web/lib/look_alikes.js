// @ts-check
// Breeds that people and networks take for each other, and what tells them apart: facts from the breeds' standards. By
// the ids of Stanford Dogs; a model of other classes has none of them, and nothing is said.

/** @typedef {{ids: string[], en: string, fr: string}} LookAlikes */

/** @type {LookAlikes[]} */
export const lookAlikes = [
  {
    ids: ["n02110185", "n02109961"],
    en: "A Siberian husky is slender with a clear mask, its eyes often blue; an Eskimo dog is heavier, its head broader.",
    fr: "Le husky de Sibérie est svelte, au masque net, aux yeux souvent bleus\u00a0; le chien esquimau est plus lourd, à tête plus large.",
  },
  {
    ids: ["n02110185", "n02110063"],
    en: "A malamute is much heavier than a Siberian husky, never blue-eyed, and carries its tail as a plume.",
    fr: "Le malamute est bien plus lourd que le husky de Sibérie, n’a jamais les yeux bleus et porte la queue en panache.",
  },
  {
    ids: ["n02109961", "n02110063"],
    en: "Hard to tell: a malamute is larger, its eyes brown and almond-shaped, its tail a plume over the back.",
    fr: "Difficile\u00a0: le malamute est plus grand, les yeux bruns en amande, la queue en panache sur le dos.",
  },
  {
    ids: ["n02113624", "n02113712"],
    en: "By size alone: a toy poodle stands up to 28 cm at the shoulder, a miniature one up to 35.",
    fr: "Par la taille seule\u00a0: le caniche toy mesure jusqu’à 28 cm au garrot, le nain jusqu’à 35.",
  },
  {
    ids: ["n02106030", "n02105855"],
    en: "A Shetland sheepdog is far smaller, 37 cm at the shoulder; a collie stands 51 to 61 cm and has the longer muzzle.",
    fr: "Le berger des Shetland est bien plus petit, 37 cm au garrot\u00a0; le colley mesure 51 à 61 cm et a le museau plus long.",
  },
  {
    ids: ["n02098413", "n02086240"],
    en: "A Shih-Tzu has a flat face, hair growing upwards from the nose; a Lhasa Apso has the longer muzzle.",
    fr: "Le shih tzu a la face plate et le poil qui remonte depuis la truffe\u00a0; le lhassa apso a le museau plus long.",
  },
  {
    ids: ["n02094433", "n02097658"],
    en: "A Yorkshire terrier is smaller, its coat reaching the floor; a silky terrier's ends above it.",
    fr: "Le yorkshire est plus petit, son poil touche le sol\u00a0; celui du terrier à poil soyeux s’arrête au-dessus.",
  },
  {
    ids: ["n02093428", "n02093256"],
    en: "An American Staffordshire terrier stands 43 to 48 cm, a Staffordshire bull terrier 35 to 40, with ears folded back.",
    fr: "L’American Staffordshire terrier mesure 43 à 48 cm, le Staffordshire bull terrier 35 à 40, les oreilles repliées en arrière.",
  },
  {
    ids: ["n02113186", "n02113023"],
    en: "A Cardigan corgi has a long bushy tail and round ears; a Pembroke a short tail, or none, and pointed ears.",
    fr: "Le corgi Cardigan a une longue queue touffue et les oreilles rondes\u00a0; le Pembroke a la queue courte, ou absente, et les oreilles pointues.",
  },
  {
    ids: ["n02107908", "n02108000"],
    en: "An Appenzeller is larger, 50 to 56 cm, its tail curled over the back; an Entlebucher stands 42 to 50 cm.",
    fr: "Le bouvier de l’Appenzell est plus grand, 50 à 56 cm, la queue enroulée sur le dos\u00a0; celui de l’Entlebuch mesure 42 à 50 cm.",
  },
  {
    ids: ["n02107574", "n02107683"],
    en: "A Bernese mountain dog has long, wavy hair; a Greater Swiss Mountain dog short, close hair.",
    fr: "Le bouvier bernois a le poil long et ondulé\u00a0; le grand bouvier suisse l’a court et serré.",
  },
  {
    ids: ["n02091134", "n02091032"],
    en: "An Italian greyhound is tiny, at most 5 kg and 38 cm; a whippet stands 44 to 51 cm.",
    fr: "Le petit lévrier italien est menu, 5 kg et 38 cm au plus\u00a0; le whippet mesure 44 à 51 cm.",
  },
  {
    ids: ["n02094114", "n02094258"],
    en: "By the ears: a Norwich terrier's stand up, a Norfolk terrier's drop.",
    fr: "Par les oreilles\u00a0: dressées chez le Norwich terrier, tombantes chez le Norfolk.",
  },
  {
    ids: ["n02111500", "n02104029"],
    en: "A Great Pyrenees has the longer coat and double dewclaws on its hind legs; a Kuvasz has neither.",
    fr: "Le montagne des Pyrénées a le poil plus long et des ergots doubles aux pattes arrière\u00a0; le kuvasz n’a ni l’un ni l’autre.",
  },
];

/**
 * Of the likeliest breed, those that are among the answers first, two at most.
 * @param {import("./preprocess.js").Prediction[]} predictions  the likeliest first
 */
export function alike(predictions) {
  const [best, ...others] = predictions.map(({ id }) => id);
  const found = lookAlikes.filter(({ ids }) => ids.includes(best)).map((pair) => ({ ...pair, other: pair.ids.find((id) => id !== best) ?? "" }));
  const place = (/** @type {{other: string}} */ { other }) => (others.includes(other) ? others.indexOf(other) : others.length);
  return found.sort((a, b) => place(a) - place(b)).slice(0, 2);
}
