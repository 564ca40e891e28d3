import type * as Zod from "zod";
import { WORKFLOW_LIMITS } from "../rules/workflow.ts";

/**
 * The shape of a workflow in zod 4, made with the zod that is passed in: zod takes 60 ms to load, so it is loaded by
 * whoever first parses a workflow. What cannot be said as a shape (references, duplicates, bounds of trees) is
 * `checkWorkflow`'s.
 *
 * @param trees `checked`: filters and mappings went through `checkWorkflow` already and are taken as they are, because
 * trying every shape of a tree costs a schema milliseconds.
 * @example
 * ```ts
 * import { workflowSchema } from "snapchat-destination/workflow";
 * import * as z from "zod";
 *
 * // Inside a schema of one's own.
 * export const settings = z.object({ label: z.string(), workflow: workflowSchema(z) });
 * ```
 */
export function workflowSchema(z: typeof Zod, trees: "described" | "checked" = "described") {
  const text = z.string().min(1).max(WORKFLOW_LIMITS.text);
  const path = text.meta({ id: "Path", description: "Dotted path into the canonical event: `properties.value`." });
  const paths = z.array(path).max(20);
  const scalar = z.union([z.string().max(WORKFLOW_LIMITS.text), z.number(), z.boolean()]);

  const taken = trees === "checked" ? z.unknown() : undefined;
  const filter: Zod.ZodType =
    taken ??
    z
      .lazy(() =>
        z.union([
          z.strictObject({ and: z.array(filter) }),
          z.strictObject({ or: z.array(filter) }),
          z.strictObject({ not: filter }),
          z.strictObject({
            path,
            op: text.describe(
              "equals, in, contains, starts, ends, glob, exists, gt, gte, lt, lte, or a plugin's operator.",
            ),
            value: z.union([scalar, z.array(scalar)]).optional(),
          }),
        ]),
      )
      .meta({ id: "Filter", description: "A tree of conditions; no regular expressions." });

  const mapping: Zod.ZodType =
    taken ??
    z
      .lazy(() =>
        z.union([
          z.strictObject({ path }),
          z.strictObject({ value: scalar }),
          z.strictObject({ first: z.array(mapping) }),
          z.strictObject({ template: text }),
          z.strictObject({ if: filter, use: mapping, else: mapping.optional() }),
          z.strictObject({ each: path, to: mapping }),
          z.strictObject({ object: z.record(z.string(), mapping) }),
          z.strictObject({ number: mapping }),
          z.strictObject({ text: mapping }),
          z.strictObject({ upper: mapping }),
          z.strictObject({ lower: mapping }),
          z.strictObject({ call: text, with: z.array(mapping).optional() }),
        ]),
      )
      .meta({ id: "Mapping", description: "How one field is made from the canonical event." });

  const fields = z.record(z.string(), mapping);
  const consent = z.strictObject({
    names: z.array(text).max(50).describe("All must be granted."),
    absent: z.enum(["allow", "deny"]).describe("What an event that does not mention a name means."),
  });
  const rule = z
    .strictObject({
      id: text,
      on: text.describe("The event's name; case, spaces, _ and - do not matter."),
      label: text.optional(),
      when: filter.optional(),
      to: text.describe("A Snap event name, segment:add or segment:remove."),
      map: fields.optional(),
      server: z.boolean(),
      client: z.boolean(),
      consent: consent.optional(),
      dedupe: paths.optional(),
    })
    .meta({ id: "Rule", description: "One row of the event screen." });

  return z
    .strictObject({
      format: z.literal(1),
      source: text,
      preset: z
        .strictObject({
          name: text,
          version: z.int().min(1),
          options: z.record(z.string(), z.unknown()),
          born: z.record(z.string(), z.string()),
        })
        .optional(),
      defaultCountry: z.string().length(2).optional(),
      aliases: z.record(z.string(), text).optional(),
      map: fields.optional(),
      user: fields.optional(),
      dedupe: paths.optional(),
      orderId: paths.optional(),
      audience: z.strictObject({ key: paths, name: paths.optional() }).optional(),
      rules: z.array(rule).max(WORKFLOW_LIMITS.rules),
    })
    .meta({ title: "Workflow of a Snapchat destination" });
}
