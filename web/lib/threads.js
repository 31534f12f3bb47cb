// @ts-check
// How many threads the network may use on this device. Asked by the page, not by the worker:
// a worker cannot see touch points, and an iPad calls itself a Mac.

export function onIos() {
  return /iPad|iPhone|iPod/.test(navigator.userAgent) || (/Mac/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);
}

export function threadCount() {
  if (!crossOriginIsolated) return 1; // threads share memory, and browsers allow that only there
  if (onIos()) return 1; // shared memory is reserved at its full size, and iOS runs out of it
  return Math.min(4, navigator.hardwareConcurrency || 1); // beyond four, nets this small gain nothing
}
