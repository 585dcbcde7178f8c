// Writes the event as a command of a POSIX shell: every word quoted so that the shell changes nothing of it.

const PLAIN = /^[\w@%+=:,./-]+$/;

/** One word: within single quotes nothing has a meaning but the quote itself. */
export function quoted(text) {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** `curl` that sends the event to `url`; `body` is text, or base64 where `isBase64`. */
export function curlCommand({ url, contentType, headers, body, isBase64, secured }) {
  const words = ["curl", "-X", "POST", quoted(url)];
  // curl would add a type of its own; a header without a value takes it away.
  words.push("-H", quoted(contentType ? `content-type: ${contentType}` : "content-type:"));
  for (const line of headers) words.push("-H", quoted(line));
  if (secured) words.push("-H", '"authorization: Bearer $TOKEN"');
  if (isBase64) return `${decoded(body)} | ${words.join(" ")} --data-binary @-`;
  return `${words.join(" ")} --data-raw ${quoted(body)}`;
}

/** `mosquitto_pub` that sends the event to the broker of `way`, on `topic`. */
export function mosquittoCommand({ way, topic, body, isBase64, contentType }) {
  const words = ["mosquitto_pub", "-h", quoted(way.host), "-p", String(way.port), "-q", String(way.qos), "-t", quoted(topic)];
  if (way.tls) words.push("--tls-use-os-certs");
  if (way.username) words.push("-u", quoted(way.username), "-P", '"$MQTT_PASSWORD"');
  if (contentType) words.push("-V", "5", "-D", "publish", "content-type", quoted(contentType));
  if (isBase64) return `${decoded(body)} | ${words.join(" ")} -s`;
  return body ? `${words.join(" ")} -m ${quoted(body)}` : `${words.join(" ")} -n`;
}

function decoded(base64) {
  return `printf %s ${quoted(base64)} | base64 -d`;
}
