// What the shapes of an OpenAPI document say: an example of each, and its type in words.

const DEEPEST = 6;

export class Schemas {
  constructor(document) {
    this.document = document;
  }

  /** The schema that a `$ref` leads to. */
  resolve(schema) {
    if (!schema?.$ref) return schema ?? {};
    const steps = schema.$ref.replace("#/", "").split("/");
    return steps.reduce((found, step) => found[step], this.document);
  }

  /** A value of this shape: what the document gives as an example, else the simplest there is. */
  example(given, depth = 0) {
    const schema = this.resolve(given);
    const told = schema.examples?.[0] ?? schema.default ?? schema.const ?? schema.enum?.[0];
    if (told !== undefined) return told;
    if (schema.anyOf) return this.example(schema.anyOf[0], depth);
    switch (schema.type) {
      case "object": return this.#object(schema, depth);
      case "array": return depth < DEEPEST ? [this.example(schema.items, depth + 1)] : [];
      case "integer": case "number": return schema.minimum ?? 0;
      case "boolean": return false;
      case "string": return "";
      default: return {};
    }
  }

  #object(schema, depth) {
    if (depth >= DEEPEST) return {};
    const entries = Object.entries(schema.properties ?? {});
    return Object.fromEntries(entries.map(([key, value]) => [key, this.example(value, depth + 1)]));
  }

  /** `string`, `integer or null`, `one of 0, 1`. */
  words(given) {
    const schema = this.resolve(given);
    if (schema.anyOf) return schema.anyOf.map((each) => this.words(each)).join(" or ");
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum) return `one of ${schema.enum.join(", ")}`;
    if (schema.type === "array") return `list of ${this.words(schema.items)}`;
    return schema.type ?? "anything";
  }
}
