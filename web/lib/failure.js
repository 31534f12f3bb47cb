// @ts-check
// An error that a visitor may read: what went wrong and what to do, in plain words.
// `kind` is for programs (tests, later translations). Those of the C++ side are not_an_image,
// unsupported, truncated, empty, too_large, damaged, out_of_memory, bad_bundle and wrong_result;
// this side adds download (a file of the site did not arrive whole), browser (too old),
// unreadable (the photo's file is gone) and crashed (a defect; only a new worker helps).

export class Failure extends Error {
  /**
   * @param {string} kind
   * @param {string} message
   */
  constructor(kind, message) {
    super(message);
    this.name = "Failure";
    this.kind = kind;
  }
}
