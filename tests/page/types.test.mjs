// @ts-check
// The page's own scripts and these tests are plain JavaScript with types in comments; typescript
// checks them, strictly. (It needs a settings file that knows where the packages lie.)

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { nodeModules } from "./environment.mjs";

const project = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const tsc = join(nodeModules, "typescript", "bin", "tsc");

/** @param {string} settings */
function check(settings) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, "--project", settings, "--pretty", "false"], { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
}

test("web/", () => check(join(project, "web", "tsconfig.json")));

test("tests/page, tests/parity, bench", () => {
  const folder = mkdtempSync(join(tmpdir(), "ouaf-types-"));
  const settings = {
    extends: join(project, "web", "tsconfig.json"),
    compilerOptions: {
      types: ["node"],
      skipLibCheck: true, // of packages that only the tests use
      typeRoots: [join(nodeModules, "@types")],
      paths: {
        "playwright-core": [join(nodeModules, "playwright-core")],
        "puppeteer-core": [join(nodeModules, "puppeteer-core")],
      },
    },
    include: ["tests/page/*.mjs", "tests/parity/*.mjs", "bench/*.mjs"].map((files) => join(project, files)),
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
  try {
    check(join(folder, "tsconfig.json"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
