// @ts-check
// The content security policy that index.html carries, as a header of a host: so it also binds the workers, which a
// <meta> in the page does not, and the browser reports violations of either to the host.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { site } from "./environment.mjs";

/** The policy that index.html carries. */
export async function policy() {
  const html = await readFile(join(site, "index.html"), "utf8");
  const found = /Content-Security-Policy" content="([^"]+)"/.exec(html);
  assert.ok(found, "index.html carries a policy");
  return found[1];
}

export const policyHeader = async () => ({ "Content-Security-Policy": `${await policy()}; report-uri /violation` });

/** @param {{requests: string[]}} host */
export const violations = (host) => host.requests.filter((path) => path === "/violation");
