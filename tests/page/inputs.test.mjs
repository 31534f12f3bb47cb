// @ts-check
// Where photos come from besides the visitor's files: the host's examples; and formats that only the
// browser decodes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { alertText, answers, classify, open, waitForState } from "./browser.mjs";
import { drawnBreeds } from "./drawn_picture.mjs";
import { site } from "./environment.mjs";
import { browser, hosting, photo } from "./fixture.mjs";

test("the host's examples are offered, and tried by a click; one that is gone is left out", async () => {
  const host = await hosting(site);
  host.faults.set("site.json", (body) => ({ body: JSON.stringify({ ...JSON.parse(body.toString()), examples: ["examples/a #1.jpg", "examples/gone.jpg"] }) }));
  const { page, close } = await open(browser, host.address, { locale: "fr-FR" });
  await page.route("**/examples/a%20%231.jpg", (route) => route.fulfill({ contentType: "image/jpeg", body: photo.buffer }));
  await waitForState(page, "ready");
  await page.waitForFunction(() => document.querySelectorAll("#examples button").length === 1);
  await page.getByRole("button", { name: "Essayer l’exemple 1" }).click();
  await waitForState(page, "done");
  assert.ok(drawnBreeds.includes((await answers(page))[0].id));
  await close();
});

test("without examples nothing is offered", async () => {
  const { page, close } = await open(browser, (await hosting(site)).address);
  await waitForState(page, "ready");
  assert.ok(await page.locator("#examples").isHidden());
  await close();
});

/** 64x64 pixels, blue above and orange below, as AVIF. */
const avif = Buffer.from(
  "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAANgAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBIAAAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAPm1kYXQSAAoJOBV//aQENBpAMicSAkNKgEEEHyAAAM/MC9hr49NjYrbiz/Lg5YtOBXSCSRqc2BKuzoA=",
  "base64",
);

test("AVIF is read through the browser's decoder, to the same answer as the same pixels in a PNG", async () => {
  const { page, close } = await open(browser, (await hosting(site)).address);
  await waitForState(page, "ready");
  const png = await page.evaluate(() => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    for (const [colour, top] of /** @type {const} */ ([["rgb(30 60 120)", 0], ["rgb(200 120 40)", 32]])) {
      context.fillStyle = colour;
      context.fillRect(0, top, 64, 32);
    }
    return canvas.toDataURL("image/png").split(",")[1];
  });
  const [expected] = await classify(page, { name: "a.png", mimeType: "image/png", buffer: Buffer.from(png, "base64") });
  const [found] = await classify(page, { name: "a.avif", mimeType: "image/avif", buffer: avif });
  assert.equal(found.id, expected.id);
  assert.ok(Math.abs(found.probability - expected.probability) < 0.03, `${found.probability}, ${expected.probability} as PNG`);

  assert.deepEqual(await classify(page, { name: "cut.avif", mimeType: "image/avif", buffer: avif.subarray(0, 200) }), []);
  assert.match(await alertText(page), /AVIF file, which can't be read here/);
  await close();
});

/** The head of a HEIC file, as a phone writes it: its kind, and kinds that it is compatible with. @param {string[]} kinds */
const heic = (kinds) => {
  const boxes = Buffer.from(`    ftyp${kinds[0]}\0\0\0\0${kinds.join("")}    mdat${"\x01".repeat(400)}`, "latin1");
  boxes.writeUInt32BE(16 + 4 * kinds.length, 0);
  boxes.writeUInt32BE(408, 16 + 4 * kinds.length);
  return { name: "IMG_0001.HEIC", mimeType: "image/heic", buffer: boxes };
};

test("HEIC, which this browser does not decode, gets a message that says what to do, in both languages", async () => {
  const host = await hosting(site);
  const { page, complaints, close } = await open(browser, host.address);
  await waitForState(page, "ready");
  for (const kinds of [["heic", "mif1"], ["heix"], ["mif1", "heic"]]) {
    assert.deepEqual(await classify(page, heic(kinds)), []);
    assert.match(await alertText(page), /HEIC photo, as iPhones take them.+this browser can't read it.+Safari.+JPEG.+Most Compatible/, kinds.join());
    assert.equal((await classify(page, photo)).length, 3, "and the page goes on");
  }
  await classify(page, heic(["heic"]));
  await page.getByRole("button", { name: "Français" }).click();
  assert.match(await alertText(page), /photo HEIC.+ce navigateur ne la lit pas.+Le plus compatible/);
  await classify(page, heic(["mif1"]));
  assert.doesNotMatch(await alertText(page), /iPhone/, "of another kind in the same container nothing is claimed");
  assert.deepEqual(complaints, []);
  await close();
});
