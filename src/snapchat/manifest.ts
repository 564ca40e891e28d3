import { settingsSchema } from "../destinations/index.ts";
import { manifest as entry, type Manifest, type ManifestOptions, workflowJsonSchema } from "../workflow/index.ts";

const text = (title: string, description: string) => ({ type: "string", title, description });

/** What a settings page saves with `destinations.update`, in the order a marketer meets it. */
const fields = {
  type: "object",
  additionalProperties: false,
  properties: {
    name: text("Name", "Your own name for this destination."),
    organizationId: text("Business", "The Snapchat business; chosen from accounts.tree()."),
    adAccountId: text("Ad account", "Audiences belong to it; chosen from accounts.tree()."),
    pixelId: text("Snap Pixel", "Web and offline events go to it; chosen from accounts.tree()."),
    mobileAppId: text("Snap App", "App events go to it; chosen from accounts.tree()."),
    conversionsToken: {
      ...text("Conversions API token", "Generated in Ads Manager; stored sealed and shown masked."),
      writeOnly: true,
    },
    serverSide: { type: "boolean", title: "Send data via server-side", default: true },
    settings: { ...settingsSchema, title: "More settings" },
  },
} as const;

/**
 * The destination as an entry of a platform's catalogue: name, category, scopes, help in steps, links, and what there is
 * to set, with the workflow, as JSON Schema.
 *
 * @example
 * ```ts
 * import { manifest } from "snapchat-destination";
 *
 * const { name, settings, help } = manifest({ links: { documentation: "https://cdp.example/docs/snapchat" } });
 * ```
 */
export function manifest(options: ManifestOptions = {}): Manifest {
  return entry({
    ...options,
    settings: options.settings ?? fields,
    workflow: options.workflow ?? workflowJsonSchema(),
  });
}
