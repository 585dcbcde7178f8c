// Bytes of a payload: from base64, as text, as JSON, as dumps in hex and decimal, and as words for a shell.

const ROW = 16;

/** The bytes that base64 stands for. */
export function decode(base64) {
  return Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
}

/** Base64 of bytes. */
export function encode(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** `{text, whole}`: UTF-8 as text, and whether all of it is. */
export function asText(bytes) {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), whole: true };
  } catch {
    return { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), whole: false };
  }
}

/** The beginning of a payload in one line; what is no sign is a dot. */
export function inBrief(text) {
  return text.replace(/[\p{C}\uFFFD]/gu, "·");
}

/** `{value}`, or null when it is no JSON. */
export function asJson(bytes) {
  try {
    return { value: JSON.parse(asText(bytes).text) };
  } catch {
    return null;
  }
}

/** Rows of offset, bytes and printable ASCII; `base` is 16 or 10. */
export function dump(bytes, base) {
  const width = base === 16 ? 2 : 3;
  const rows = [];
  for (let at = 0; at < bytes.length; at += ROW) {
    const row = [...bytes.subarray(at, at + ROW)];
    const cells = row.map((byte) => byte.toString(base).padStart(width, base === 16 ? "0" : " "));
    const signs = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    const offset = base === 16 ? at.toString(16).padStart(4, "0") : String(at).padStart(5);
    rows.push(`${offset}  ${cells.join(" ").padEnd(ROW * (width + 1) - 1)}  ${signs}`);
  }
  return rows.join("\n");
}

/** The bytes of `01 ff 7a`, null for what are none. */
export function fromHex(text) {
  const signs = text.replace(/0x/gi, "").replace(/[\s,:]/g, "");
  if (signs.length % 2 || /[^0-9a-f]/i.test(signs)) return null;
  return Uint8Array.from(signs.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** A word as a shell takes it. */
export function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** `-h HOST -p PORT`, and what else mosquitto's tools need to reach a broker. */
export function reaching(broker) {
  const [, host, port] = broker.address.match(/^\w+:\/\/\[?(.*?)\]?:(\d+)$/);
  const tls = broker.tls ? " --tls-use-os-certs" : "";
  return `-h ${quoted(host)} -p ${port}${tls}${broker.version === "5" ? " -V 5" : ""}`;
}

/** The command that publishes these bytes to a topic again. */
export function pubCommand(broker, topic, { qos, retain, bytes, properties }) {
  const typed = broker.version === "5" && properties.find(([name]) => name === "ContentType");
  const head = `mosquitto_pub ${reaching(broker)} -t ${quoted(topic)} -q ${qos}${retain ? " -r" : ""}${typed ? ` -D publish content-type ${quoted(typed[1])}` : ""}`;
  const { text, whole } = asText(bytes);
  if (!bytes.length) return `${head} -n`;
  if (whole && !text.includes("\0")) return `${head} -m ${quoted(text)}`;
  return `printf '${[...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}' | ${head} -s`;
}
