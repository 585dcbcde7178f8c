// What a JSON Schema says of a value, in the few kinds that a form has fields for. It knows nothing of pages.

const SCALARS = ["string", "integer", "number"];
const DURATIONS = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1], ["ms", 0.001]];
const SIZES = [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10], ["B", 1]];
const DEEPEST = 32;
// A schema may come from a package: kinds that refer to themselves would double with each step.
const MOST_STEPS = 1000;

/** `schema` with what it refers to in `root` written out; `nullable` says that null is allowed. */
export function resolve(schema, root, depth = 0, budget = { left: MOST_STEPS }) {
  budget.left -= 1;
  if (schema === true || schema === undefined || depth > DEEPEST || budget.left < 0) return {};
  const inner = (each) => resolve(each, root, depth + 1, budget);
  const { $ref, anyOf, oneOf, allOf, ...own } = schema;
  if ($ref) return inner({ ...target($ref, root), ...own });
  if (allOf) return inner(Object.assign({}, ...allOf.map(inner), own));
  const options = anyOf ?? oneOf;
  if (options) return joined(options.map(inner), own);
  if (!Array.isArray(schema.type)) return schema;
  const types = schema.type.filter((each) => each !== "null");
  const nullable = schema.nullable || types.length < schema.type.length;
  if (types.length === 1) return { ...schema, type: types[0], nullable };
  return { ...schema, type: types.every((each) => SCALARS.includes(each)) ? "string" : undefined, nullable };
}

/** One of: const, choice, enum, boolean, number, text, list, object, map, any. */
export function kindOf(schema) {
  if ("const" in schema) return "const";
  if (schema.options) return "choice";
  if (schema.enum) return "enum";
  if (schema.type === "boolean") return "boolean";
  if (schema.type === "integer" || schema.type === "number") return "number";
  if (schema.type === "string") return "text";
  if (schema.type === "array") return "list";
  if (schema.type === "object" || schema.properties) return schema.properties ? "object" : "map";
  return "any";
}

/** Whether it is drawn as one field. */
export function isLeaf(schema) {
  return !["list", "object", "map", "choice"].includes(kindOf(schema));
}

/** What the values of a map are like. */
export function valuesOf(schema) {
  const patterns = Object.values(schema.patternProperties ?? {});
  return patterns[0] ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : {});
}

/** The value that holds where nothing is said, as people write it; empty if there is none. */
export function writeDefault(schema) {
  const value = schema.default;
  if (value == null || (typeof value === "object" && !Object.keys(value).length)) return "";
  if (typeof value === "number" && schema.examples?.includes("10s")) return quantity(value, DURATIONS);
  if (typeof value === "number" && schema.examples?.includes("512MiB")) return quantity(value, SIZES);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What a value of this kind begins with. */
export function beginning(schema) {
  const kind = kindOf(schema);
  if (kind === "const") return schema.const;
  if (kind === "enum") return schema.enum[0];
  if (kind === "boolean") return false;
  if (kind === "choice") return beginning(schema.options[0]);
  if (kind === "object") return constants(schema);
  return { list: [], map: {}, text: "" }[kind] ?? null;
}

/** The number of the option that a value fits best. */
export function optionOf(schema, value) {
  const found = schema.options.findIndex((each) => fits(each, value));
  return Math.max(0, found);
}

/** How an entry of a list is called in one line. */
export function titleOf(value) {
  if (value === null || typeof value !== "object") return value == null ? "" : String(value);
  const told = value.name ?? value.modelName ?? value.label ?? value.caller ?? value.deviceName ?? value.attrName;
  if (told !== undefined && typeof told !== "object") return String(told);
  return value.sub?.topic ? String(value.sub.topic) : "";
}

/** The path of `key` in what has `path`: `rules[0].sub`. */
export function below(path, key) {
  if (typeof key === "number") return `${path}[${key}]`;
  return path ? `${path}.${key}` : key;
}

// What an object says of which kind it is.
function constants(schema) {
  const needed = (schema.required ?? []).filter((name) => "const" in (schema.properties[name] ?? {}));
  return Object.fromEntries(needed.map((name) => [name, schema.properties[name].const]));
}

function target(ref, root) {
  const steps = ref.replace(/^#\/?/u, "").split("/").filter(Boolean);
  return steps.reduce((found, step) => found?.[step.replaceAll("~1", "/").replaceAll("~0", "~")], root) ?? {};
}

function joined(options, own) {
  const real = options.filter((each) => each.type !== "null");
  const nullable = real.length < options.length || real.some((each) => each.nullable);
  if (real.length === 1) return { ...real[0], ...own, nullable };
  const scalar = real.every((each) => SCALARS.includes(each.type) && !each.enum);
  if (scalar) return { ...Object.assign({}, ...real), ...own, type: "string", nullable };
  return { ...own, options: real, nullable };
}

function fits(schema, value) {
  if ("const" in schema) return schema.const === value;
  if (schema.enum) return schema.enum.includes(value);
  if (Array.isArray(value)) return schema.type === "array";
  if (value !== null && typeof value === "object") return kindOf(schema) === "object" ? hasConstants(schema, value) : schema.type === "object";
  return { string: ["string"], number: ["number", "integer"], boolean: ["boolean"] }[typeof value]?.includes(schema.type) ?? false;
}

// Kinds of object are told apart by the keys of which each kind has its own constant.
function hasConstants(schema, value) {
  return Object.entries(schema.properties).every(([key, each]) => !("const" in each) || each.const === value[key]);
}

function quantity(value, units) {
  const [unit, size] = units.find(([, each]) => value >= each && Number.isInteger(Number((value / each).toFixed(6)))) ?? units.at(-1);
  return `${Number((value / size).toFixed(6))}${value === 0 && unit === "ms" ? "" : unit}`;
}
