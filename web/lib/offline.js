// @ts-check
// The page's end of the service worker: registers it, tells when a new version waits, and shows
// what is stored on this device, with a button that clears it.

import { inEachLanguage, words } from "./language.js";
import { clear } from "./store.js";
import { onIos } from "./threads.js";

const root = new URL("..", import.meta.url);

/**
 * @param {() => void} onNewVersion
 */
export async function workOffline(onNewVersion) {
  const container = navigator.serviceWorker;
  if (!container) return; // a private window, or an address without https
  try {
    const registration = await container.register(new URL(`service_worker.js${onIos() ? "" : "?isolate"}`, root), {
      updateViaCache: "none",
    });
    const look = () => {
      if (registration.waiting && container.controller) onNewVersion();
    };
    look();
    registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
  } catch {
    // The page works as well without; the host may not serve service_worker.js at all.
  }
}

/** Loads the page again, as the version that waits. */
export async function takeNewVersion() {
  const registration = await navigator.serviceWorker.getRegistration(root.href);
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
  registration?.waiting?.postMessage("take over");
}

/**
 * @param {object} elements
 * @param {HTMLElement} elements.text
 * @param {HTMLButtonElement} elements.button
 * @param {() => void} onClear
 */
export function createStorageView({ text, button }, onClear) {
  /** @type {(() => string) | undefined} */
  let said;
  const write = () => {
    if (said) text.textContent = said();
  };
  inEachLanguage(write);
  button.addEventListener("click", async () => {
    await clear(root);
    onClear();
    button.hidden = true;
    said = () => words().freed;
    write();
  });
  return {
    /**
     * @param {import("./store.js").State} state
     * @param {number} bytes
     */
    show(state, bytes) {
      button.hidden = state !== "kept";
      said = () => (state === "kept" ? words().kept(Math.round(bytes / 1e6)) : words()[state]);
      write();
    },
  };
}
