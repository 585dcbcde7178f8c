// JSON as it was written: indented without a change to any number, and read so that none is shown rounded.

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** A number as it was written, where JavaScript's own would be another text. */
export class Written {
  constructor(text) {
    this.text = text;
  }
}

/** The same JSON over several lines; what is no JSON stays as it is. */
export function indented(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const lines = { text: "", depth: 0 };
  const tokens = text.match(TOKENS);
  tokens.forEach((token, place) => add(lines, token, tokens[place - 1], tokens[place + 1]));
  return lines.text;
}

/** What `JSON.parse` makes of it, with a `Written` for each number that would look another; raises SyntaxError. */
export function parseWritten(text) {
  const value = JSON.parse(text);
  const tokens = text.match(TOKENS);
  if (!tokens.some(differs)) return value;
  // A text that no payload can begin with, since it is made anew each time.
  const mark = `${Math.random()}${Math.random()}:`;
  const marked = tokens.map((token) => (differs(token) ? `"${mark}${token}"` : token)).join("");
  return JSON.parse(marked, (_, each) => (typeof each === "string" && each.startsWith(mark) ? new Written(each.slice(mark.length)) : each));
}

function differs(token) {
  return /^[-\d]/.test(token) && String(Number(token)) !== token;
}

function add(lines, token, before, after) {
  if (token === "}" || token === "]") {
    lines.depth -= 1;
    if (!isOpening(before)) lines.text += newLine(lines.depth);
  }
  lines.text += token;
  if (token === ":") lines.text += " ";
  else if (token === ",") lines.text += newLine(lines.depth);
  else if (isOpening(token)) {
    lines.depth += 1;
    if (after !== "}" && after !== "]") lines.text += newLine(lines.depth);
  }
}

function isOpening(token) {
  return token === "{" || token === "[";
}

function newLine(depth) {
  return `\n${"  ".repeat(depth)}`;
}
