// The form that publishes a message: warns of rules that listen, asks before it retains, says what the broker said.

import { make, replace } from "/static/dom.js";
import { askJson } from "./api.js";
import { confirmed } from "./confirm.js";
import { asText, encode, fromHex } from "./mqtt-bytes.js";
import { matches } from "./mqtt-filters.js";
import { t } from "./strings.js";

/** The form, which `fill(topic, message)` begins with what was seen; null where it is not offered. */
export function publishForm(about) {
  const form = document.getElementById("publish-form");
  if (!form) return null;
  const fields = form.elements;
  const warn = () => writeWarning(about, fields);
  form.addEventListener("input", warn);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    publish(fields);
  });
  return {
    fill(topic, message) {
      const { text, whole } = message ? asText(message.bytes) : { text: "", whole: true };
      fields.broker.value = topic.broker;
      fields.topic.value = topic.topic;
      fields.form.value = whole ? "text" : "hex";
      fields.payload.value = whole ? text : [...message.bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
      fields.qos.value = String(message?.qos ?? 1);
      fields.retain.checked = false;
      warn();
      form.scrollIntoView({ block: "nearest" });
      fields.payload.focus();
    },
  };
}

function writeWarning(about, fields) {
  const broker = about.brokers.find((each) => each.name === fields.broker.value);
  const rules = broker?.rules.filter((each) => fields.topic.value && matches(each.filter, fields.topic.value)) ?? [];
  const warning = document.getElementById("publish-warning");
  warning.hidden = !rules.length;
  const names = rules.map((each) => `${each.name} (${each.filter})`).join(", ");
  const deaf = fields.retain.checked && rules.some((each) => !each.retained);
  warning.textContent = rules.length ? [t("mqtt.publish.runs", { rules: names }), deaf && t("mqtt.publish.not_retained")].filter(Boolean).join(" ") : "";
}

async function publish(fields) {
  const state = document.getElementById("publish-state");
  const payload = fields.form.value === "hex" ? fromHex(fields.payload.value) : new TextEncoder().encode(fields.payload.value);
  if (!payload) return replace(state, make("span", { class: "state bad" }, t("mqtt.publish.bad_hex")));
  const topic = fields.topic.value;
  if (fields.retain.checked && !(await confirmed(t("mqtt.publish.retain_sure", { topic }), t("mqtt.publish.send")))) return;
  state.textContent = t("mqtt.publish.sending");
  try {
    const told = await askJson("/api/mqtt/publish", { method: "POST", json: {
      broker: fields.broker.value, topic, payload_base64: encode(payload), qos: Number(fields.qos.value),
      retain: fields.retain.checked, content_type: fields.type.value.trim(),
    } });
    replace(state, make("span", { class: "state good" }, t("mqtt.publish.sent", { reason: told.reason })));
  } catch (error) {
    replace(state, make("span", { class: "state bad" }, t("mqtt.publish.failed")), " ", make("span", { lang: "en" }, error.message));
  }
}
