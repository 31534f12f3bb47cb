// @ts-check
// A table as a CSV file (RFC 4180). It begins with a byte order mark: without, spreadsheets take its
// accents for another encoding.

/**
 * @param {string[]} head
 * @param {string[][]} lines
 */
export function toCsv(head, lines) {
  const field = (/** @type {string} */ text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return `\ufeff${[head, ...lines].map((line) => line.map(field).join(",")).join("\r\n")}\r\n`;
}
