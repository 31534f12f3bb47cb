// @ts-check
// The wire between a browser and a server on this machine: counts what passes, whoever asks for it (page, worker, service
// worker), and can be as slow as a mobile network, or cut.
//
//   const link = await openLink(8000, { network: fast4g });
//   link.address, link.received()   // bytes from server to browser

import { connect, createServer } from "node:net";

/** @typedef {{down: number, up: number, delay: number}} Network  bytes a second, and milliseconds for there and back */

/** Chromium's own "Fast 4G". @type {Network} */
export const fast4g = { down: 9e6 / 8, up: 1.35e6 / 8, delay: 165 };

/**
 * @param {number} port  the server's, on this machine
 * @param {object} [options]
 * @param {Network} [options.network]  none: as fast as the machine
 */
export async function openLink(port, { network } = {}) {
  const count = { down: 0, up: 0 };
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  let open = true;
  const lanes = network && { down: lane(network.down, network.delay / 2), up: lane(network.up, network.delay / 2) };

  const server = createServer({ noDelay: true }, async (browser) => {
    if (!open) return browser.destroy();
    const host = connect({ port, host: "127.0.0.1", noDelay: true });
    for (const socket of [browser, host]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => {});
    }
    // A new connection costs one way there and back before its first byte.
    const ready = network ? new Promise((done) => setTimeout(done, network.delay)) : undefined;
    carry(browser, host, (bytes) => (count.up += bytes), lanes?.up, ready);
    carry(host, browser, (bytes) => (count.down += bytes), lanes?.down);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", () => done(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());

  return {
    address: `http://127.0.0.1:${address.port}/`,
    received: () => count.down,
    /** From now on there is no network. */
    cut() {
      open = false;
      for (const socket of sockets) socket.destroy();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/**
 * One direction, shared by all connections: bytes leave one after the other, and arrive a while later.
 * @param {number} rate  bytes a second
 * @param {number} delay
 */
function lane(rate, delay) {
  let free = 0; // when the last byte so far has left
  return {
    /** @param {number} bytes */
    async leave(bytes) {
      free = Math.max(free, performance.now()) + (1000 * bytes) / rate;
      await until(free);
    },
    arrive: () => until(performance.now() + delay),
  };
}

/** @param {number} moment */
const until = (moment) => new Promise((done) => setTimeout(done, Math.max(0, moment - performance.now())));

/**
 * @param {import("node:net").Socket} from
 * @param {import("node:net").Socket} to
 * @param {(bytes: number) => void} count
 * @param {ReturnType<typeof lane>} [slow]
 * @param {Promise<unknown>} [ready]
 */
async function carry(from, to, count, slow, ready) {
  const piece = 16384; // connections take turns by pieces
  let last = Promise.resolve();
  try {
    await ready;
    for await (const chunk of from) {
      for (let at = 0; at < chunk.length; at += piece) {
        const bytes = chunk.subarray(at, at + piece);
        if (slow) {
          await slow.leave(bytes.length);
          last = Promise.all([last, slow.arrive()]).then(() => void to.write(bytes));
        } else {
          to.write(bytes);
        }
        count(bytes.length);
      }
    }
    await last;
    to.end();
  } catch {
    to.destroy(); // the other end went away
  }
}
