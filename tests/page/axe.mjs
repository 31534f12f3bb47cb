// @ts-check
// axe-core, an engine that looks for what keeps people out of a page: contrast, names, roles, sizes.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { nodeModules } from "./environment.mjs";

const axe = await readFile(join(nodeModules, "axe-core", "axe.min.js"), "utf8");

/**
 * Against WCAG 2.2 AA and what axe-core calls best practice.
 * @param {import("playwright-core").Page} page
 * @param {string} state  what the page shows, for the message
 */
export async function assertNothingFound(page, state) {
  if (!(await page.evaluate(() => Reflect.has(window, "axe")))) await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    /** @type {{violations: {id: string, help: string, nodes: {html: string, failureSummary: string}[]}[], passes: unknown[]}} */
    const result = await Reflect.get(window, "axe").run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return {
      passes: result.passes.length,
      violations: result.violations.map(({ id, help, nodes }) => [id, help, ...nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`)].join("\n")),
    };
  });
  assert.ok(found.passes > 10, "axe has looked");
  assert.deepEqual(found.violations, [], state);
}
