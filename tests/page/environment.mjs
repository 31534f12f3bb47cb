// @ts-check
// What the tests are given, all by environment variables:
//   OUAF_SITE          a published site folder (ouaf publish)
//   OUAF_NODE_MODULES  where playwright-core and puppeteer-core lie
//   OUAF_BINARY        the native program, to compare answers with
//   OUAF_MODEL         the bundle that the site was published from
//   OUAF_SHARED        the folder with real photos; tests that need it are skipped without
//   OUAF_SCREENSHOTS   where pictures of the page go; none are made without

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

/** @param {string} name */
function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: tests/page/environment.mjs lists what these tests need`);
  return resolve(value);
}

/** @param {string} name */
function optional(name) {
  const value = process.env[name];
  return value ? resolve(value) : undefined;
}

export const site = required("OUAF_SITE");
export const nodeModules = required("OUAF_NODE_MODULES");
export const binary = optional("OUAF_BINARY");
export const model = optional("OUAF_MODEL");
export const screenshots = optional("OUAF_SCREENSHOTS");

const shared = optional("OUAF_SHARED");
/** The folder of photos from outside any training set, or nothing. */
export const unseen = shared && existsSync(join(shared, "unseen", "labels.csv")) ? join(shared, "unseen") : undefined;

/**
 * A package from the cache of node modules, which lies outside the project.
 * @param {string} name
 */
export function fromNodeModules(name) {
  return createRequire(join(nodeModules, "here.js"))(name);
}
