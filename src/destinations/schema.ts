/** The part of JSON Schema that settings use: enough for a form and for a check without loading a library. */
export interface JsonSchema {
  readonly type: "object" | "array" | "string" | "integer" | "boolean";
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: false;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** What is wrong with a value: `path: what it should be`, never the value itself. Empty: it fits. */
export function violations(value: unknown, schema: JsonSchema, path: string): string[] {
  switch (schema.type) {
    case "boolean":
      return typeof value === "boolean" ? [] : [`${path}: true or false`];
    case "integer":
      return isInteger(value, schema) ? [] : [`${path}: a whole number from ${schema.minimum} to ${schema.maximum}`];
    case "string":
      return isText(value, schema) ? [] : [`${path}: ${textWanted(schema)}`];
    case "array":
      return inArray(value, schema, path);
    case "object":
      return inObject(value, schema, path);
  }
}

const isInteger = (value: unknown, { minimum = -Infinity, maximum = Infinity }: JsonSchema): boolean =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= minimum && value <= maximum;

function isText(value: unknown, schema: JsonSchema): boolean {
  if (typeof value !== "string" || value.length === 0 || value.length > (schema.maxLength ?? 1_000)) return false;
  if (schema.enum && !schema.enum.includes(value)) return false;
  return schema.pattern === undefined || new RegExp(schema.pattern).test(value);
}

function textWanted(schema: JsonSchema): string {
  if (schema.enum) return `one of ${schema.enum.join(", ")}`;
  return `a text of 1 to ${schema.maxLength ?? 1_000} characters${schema.pattern ? ` like ${schema.pattern}` : ""}`;
}

function inArray(value: unknown, schema: JsonSchema, path: string): string[] {
  const { items, minItems = 0, maxItems = 1_000 } = schema;
  if (!Array.isArray(value) || value.length < minItems || value.length > maxItems) {
    return [`${path}: a list of ${minItems} to ${maxItems}`];
  }
  return items ? value.flatMap((item, i) => violations(item, items, `${path}.${i}`)) : [];
}

function inObject(value: unknown, schema: JsonSchema, path: string): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${path}: an object`];
  const properties = schema.properties ?? {};
  return Object.entries(value).flatMap(([key, item]) => {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (known) return item === undefined ? [] : violations(item, known, `${path}.${key}`);
    return [
      `${path}: no setting of the name ${JSON.stringify(key.slice(0, 40))}; known are ${Object.keys(properties).join(", ")}`,
    ];
  });
}
