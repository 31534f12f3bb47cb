// @ts-check
// The page in French: `page` by the data-text and data-label of index.html, `failures` by an error's
// kind (failure.js), the rest as in en.js.

/** @typedef {Record<string, string | number>} Values */

/** @type {typeof import("./en.js").en} */
export const fr = {
  choose: "Choisir une photo",
  chooseAnother: "En choisir une autre",
  photo: "La photo choisie",
  knows: (classes) => `Ce modèle connaît ${classes} races.`,
  example: (number) => `Essayer l’exemple ${number}`,
  breedsFound: (found) => (found < 2 ? `${found} race` : `${found} races`),
  starting: "Démarrage",
  startingModel: "Démarrage du modèle",
  progress: (done, total) => `${done} sur ${total} Mo`,
  percent: (rounded) => `${rounded}\u00a0%`,
  took: (duration) => `Trouvé en ${duration} sur cet appareil.`,
  verdict: { sure: "Le plus probable", unsure: "Pas sûr. C’est peut-être", none: "Je ne vois pas de chien ici" },
  nearest: "Les races les plus proches, pour ce que cela vaut\u00a0:",
  spoken: {
    sure: (answers) => `Le plus probable\u00a0: ${answers.join("\u00a0; puis ")}.`,
    unsure: (answers) => `Pas sûr. C’est peut-être ${answers.join("\u00a0; puis ")}.`,
    none: (answers) => `Je ne vois pas de chien ici. Le plus proche serait ${answers.join("\u00a0; puis ")}.`,
  },
  copy: "Copier",
  copied: "Copié",
  more: "Plus de races",
  fewer: "Moins de races",
  photos: (done, all) => (done < all ? `${done} photos reconnues sur ${all}` : `${all} photos`),
  photosDone: (all) => `Les ${all} photos ont leur réponse ci-dessous.`,
  waiting: "en attente",
  notRead: "non reconnue",
  csvFile: "races.csv",
  csvVerdict: { sure: "sûr", unsure: "pas sûr", none: "pas de chien" },
  csvHead: ["fichier", "réponse", "race", "id", "probabilité", "deuxième race", "probabilité", "troisième race", "probabilité", "erreur"],
  kept: (megabytes) => `Le modèle est gardé sur cet appareil (${megabytes}\u00a0Mo)\u00a0: la page marche sans réseau.`,
  full: "Il n’y a plus de place sur cet appareil pour garder le modèle\u00a0: il est téléchargé à chaque visite.",
  refused: "Cette fenêtre ne garde rien (navigation privée, ou adresse sans https)\u00a0: le modèle est téléchargé à chaque visite.",
  freed: "La place est libérée. La prochaine visite téléchargera le modèle à nouveau.",
};

/** @type {Record<string, string>} */
export const page = {
  title: "ouaf\u00a0: de quelle race est ce chien\u00a0?",
  question: "De quelle race est ce chien\u00a0?",
  lead: "Votre photo ne quitte jamais cet appareil.",
  "photo-section": "Photo",
  "photo-hint": "ou déposez-la sur la page, ou collez-la",
  "answer-section": "Réponse",
  camera: "Utiliser la caméra",
  "camera-area": "Caméra",
  "camera-turn": "Autre caméra",
  "camera-shutter": "Prendre la photo",
  "camera-close": "Fermer",
  retry: "Réessayer",
  fetching: "Téléchargement du modèle",
  "choose-already": "Vous pouvez déjà choisir une photo.",
  stuck:
    "Toujours rien\u00a0? Il faut JavaScript et un navigateur de ces dernières années, et la page doit venir d’un serveur web\u00a0: ouverte comme fichier depuis un disque, elle ne peut pas démarrer.",
  "show-me": "Montrez-moi un chien",
  "works-best": "Un seul chien qui remplit la photo, bien éclairé, c’est le mieux.",
  sort: "Trier par",
  "sort-given": "ordre donné",
  "sort-file": "nom de fichier",
  "sort-breed": "race",
  "sort-certain": "les plus sûres d’abord",
  "sort-uncertain": "les moins sûres d’abord",
  csv: "Télécharger en CSV",
  "close-many": "Fermer la liste",
  examples: "Exemples",
  "go-on": "Choisissez une autre photo pour continuer.",
  sniffing: "Je renifle",
  "show-heat": "Ce qu’elle a regardé",
  "breeds-section": "Races",
  breeds: "Toutes les races connues",
  search: "Chercher",
  private: "Privé par construction.",
  "private-why":
    "La photo est lue et reconnue par du code qui tourne dans cette page. Aucune photo n’est envoyée, gardée ni comptée.",
  wrong: "Elle peut se tromper.",
  "wrong-when": "Les chiots et les croisés la trompent, et une race qu’elle ne connaît pas reçoit le nom de la plus proche.",
  offline: "Marche sans réseau après la première visite.",
  clear: "Libérer la place",
  "new-version": "Une nouvelle version de cette page est là.",
  "take-version": "L’utiliser",
};

/** @type {Record<string, (values: Values) => string>} */
export const failures = {
  unreachable: ({ path }) => `Le téléchargement a échoué (${path}). Vérifiez la connexion, puis réessayez.`,
  missing: ({ path, status }) => `Ce site n’est pas complet\u00a0: il manque ${path} (le serveur a répondu ${status}).`,
  broken: ({ path }) => `Le téléchargement n’est pas arrivé entier (${path}). Vérifiez la connexion, puis réessayez.`,
  web_page: ({ path }) =>
    `Le serveur a envoyé une page web à la place de ${path}. Réessayez\u00a0; si cela continue, ce site n’est pas complet.`,
  changed: ({ path }) =>
    `${path} est arrivé modifié\u00a0: ce n’est pas le fichier que ce site annonce. Rechargez la page\u00a0; si cela continue, ce site n’est pas complet.`,
  unlisted: ({ path }) => `Ce site n’est pas complet\u00a0: site.json n’annonce pas ${path}.`,
  newer: () => "Ce site est plus récent que la page gardée par votre navigateur. Rechargez la page.",
  no_wasm: () =>
    "WebAssembly est désactivé dans ce navigateur (un mode de protection peut le faire), ou il est trop ancien. Le modèle ne peut pas s’en passer.",
  no_simd: () =>
    "Ce navigateur est trop ancien pour le modèle (il n’a pas WebAssembly SIMD). Un navigateur de ces dernières années convient.",
  no_session: ({ reason }) => `Le modèle n’a pas pu démarrer sur cet appareil (${reason}).`,
  no_worker: () => "La page n’a pas pu démarrer son travail de fond. Vérifiez la connexion, puis réessayez.",
  crashed: () => "Quelque chose s’est cassé dans la page. Réessayez.",
  camera_refused: () =>
    "Cette page n’a pas le droit d’utiliser la caméra. Autorisez-la dans les réglages du navigateur pour ce site, ou choisissez une photo.",
  camera_missing: () => "Aucune caméra n’a été trouvée sur cet appareil. Choisissez une photo.",
  camera_busy: () => "La caméra n’a pas démarré\u00a0; un autre programme l’utilise peut-être. Fermez-le, ou choisissez une photo.",
  unreadable: () => "Ce fichier n’a pas pu être lu. A-t-il été déplacé ou modifié\u00a0? Choisissez-le à nouveau.",
  file_too_large: ({ megabytes }) => `Ce fichier dépasse ${megabytes}\u00a0Mo. Choisissez une photo plus petite.`,
  empty: () => "Ce fichier est vide, ou son image n’a aucun pixel. Choisissez une autre photo.",
  not_an_image: () => "Ce fichier n’est pas une photo qui se lit ici. Choisissez un JPEG, PNG, WebP ou BMP.",
  unsupported: () => "Cette sorte d’image ne se lit pas ici. Enregistrez-la en JPEG ou PNG, puis choisissez-la à nouveau.",
  truncated: () => "Cette photo est coupée\u00a0: la fin manque. Copiez-la ou téléchargez-la à nouveau.",
  damaged: () => "Cette photo est abîmée. Copiez-la ou téléchargez-la à nouveau.",
  too_large: () => "Cette image est trop grande. Choisissez-en une plus petite.",
  out_of_memory: () => "Il n’y a pas assez de mémoire pour cette photo. Essayez-en une plus petite.",
  bad_bundle: () => "La description du modèle ne se lit pas\u00a0: ce site n’est pas complet.",
  wrong_result: () => "Cet appareil calcule autre chose que prévu\u00a0: ses réponses ne seraient pas fiables.",
};
