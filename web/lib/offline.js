// @ts-check
// The page's end of the service worker: registers it, tells when a new version waits, and shows
// what is stored on this device, with a button that clears it.

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
 */
export function createStorageView({ text, button }) {
  button.addEventListener("click", async () => {
    await clear(root);
    button.hidden = true;
    text.textContent = "The space is free again. The next visit fetches the model anew.";
  });
  return {
    /**
     * @param {"kept" | "full" | "refused"} state
     * @param {number} bytes
     */
    show(state, bytes) {
      button.hidden = state !== "kept";
      text.textContent = {
        kept: `The model is kept on this device (${Math.round(bytes / 1e6)} MB), so the page works without a network.`,
        full: "This device has no space left to keep the model: it is fetched anew at each visit.",
        refused: "This window keeps nothing (a private one, or an address without https): the model is fetched anew at each visit.",
      }[state];
    },
  };
}
