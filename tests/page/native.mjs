// @ts-check
// What the native program says of photos, to compare the page with.

import { execFileSync } from "node:child_process";
import { binary, model } from "./environment.mjs";

export const noBinary = binary && model ? false : "OUAF_BINARY and OUAF_MODEL are not set";

/**
 * `ouaf predict` of each file.
 * @param {string[]} files
 * @param {{left: number, top: number, side: number}} [square]  the part to look at
 * @returns {import("../../web/lib/preprocess.js").Answer[]}
 */
export function native(files, square) {
  if (!binary || !model) throw new Error("no native program");
  const args = ["predict", "--model", model, "--json", "--top", "3", ...files];
  if (square) args.push("--square", ...[square.left, square.top, square.side].map(String));
  const lines = execFileSync(binary, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}
