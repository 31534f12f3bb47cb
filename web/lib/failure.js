// @ts-check
// An error that a visitor may read: what went wrong and what to do, in plain words (English; other
// languages have theirs by `kind` and `values` in texts/). Kinds of the C++ side are not_an_image,
// unsupported, truncated, empty, too_large, damaged, out_of_memory, bad_bundle and wrong_result;
// this side adds those of a file of the site that did not arrive whole (unreachable, missing,
// broken, web_page, changed, unlisted, newer), of a browser that cannot (no_wasm, no_simd,
// no_session, no_worker, card_not_kept), of a photo's file (unreadable, file_too_large, heic) and
// crashed (a defect; only a new worker helps).

/**
 * What the worker says of a failure.
 * @typedef {{kind: string, message: string, values?: Record<string, string | number>}} Told
 */

export class Failure extends Error {
  /**
   * @param {string} kind
   * @param {string} message
   * @param {Record<string, string | number>} [values]  what the message is filled in with
   */
  constructor(kind, message, values = {}) {
    super(message);
    this.name = "Failure";
    this.kind = kind;
    this.values = values;
  }
}
