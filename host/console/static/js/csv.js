// Saves rows as a CSV file (RFC 4180), in which no text is taken for a formula by a spreadsheet.

import { make } from "/static/dom.js";

const FORMULA = /^[=+\-@\t\r]/;

/** Have the browser save `rows` of texts and numbers as a file of this name. */
export function writeCsv(name, rows) {
  // The mark at the beginning tells spreadsheets that it is UTF-8.
  const text = `\uFEFF${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/** One cell as it stands in the file. */
export function cell(value) {
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
