#!/usr/bin/env node
// Draws the installed page's icons from web/icon.svg with Debian's chromium: node scripts/draw_icons.mjs
// Run it after a change of the drawing; the three PNG files lie beside it and are committed. They have a palette, by Pillow:
// a third of the size, and no eye finds the difference.

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const project = new URL("..", import.meta.url);
const { chromium } = createRequire(new URL("build/deps/node_modules/here.js", project))("playwright-core");
const drawing = await readFile(new URL("web/icon.svg", project), "utf8");
const python = fileURLToPath(new URL("build/deps/python/bin/python3", project));
const withPalette = `
import sys
from PIL import Image
path = sys.argv[1]
drawn = Image.open(path).convert("RGBA")
drawn.quantize(128, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)`;
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });

/**
 * @param {string} name
 * @param {number} side   in pixels
 * @param {number} part   of the side that the drawing takes; a maskable icon may lose all but the inner 80 %
 * @param {string} paper  behind it
 */
async function draw(name, side, part, paper) {
  const page = await browser.newPage({ viewport: { width: side, height: side } });
  const width = `${part * 100}%`;
  await page.setContent(`<style>html,body{margin:0;height:100%;background:${paper}}body{display:grid;place-items:center}
    svg{width:${width};height:${width}}</style>${drawing}`);
  const path = fileURLToPath(new URL(`web/${name}`, project));
  await page.screenshot({ path, omitBackground: paper === "transparent" });
  await page.close();
  execFileSync(python, ["-c", withPalette, path]);
}

await draw("icon-192.png", 192, 0.96, "transparent");
await draw("icon-512.png", 512, 0.96, "transparent");
await draw("icon-maskable.png", 512, 0.62, "#e6ede6");
await browser.close();
