import { definePlugin, type HostMember, type HostSegment } from "snapchat-destination";

/** The segments that Acme has built in the CDP. Yours come from your own database, a page at a time. */
const SEGMENTS: readonly (Required<HostSegment> & { members: readonly HostMember[] })[] = [
  {
    key: "vip",
    name: "VIP customers",
    size: 2,
    members: [
      { email: "jane@example.com", personKey: "c-1" },
      { email: "sam@example.com", phone: "+44 844 412 4653", personKey: "c-2" },
    ],
  },
  { key: "cart", name: "Left a full cart", size: 1, members: [{ email: "kim@example.com", personKey: "c-3" }] },
  { key: "lapsed", name: "No order for a year", size: 0, members: [] },
];

export const listSegments = (_tenantId: string): readonly Required<HostSegment>[] => SEGMENTS;

/** Tells the package of them: switching `added_to_segment` on brings all of them to Snapchat. */
export const segmentsPlugin = definePlugin({
  name: "cdp",
  segments: {
    list: ({ tenantId }) => listSegments(tenantId).map(({ key, name, size }) => ({ key, name, size })),
    members: (key) => SEGMENTS.find((segment) => segment.key === key)?.members,
  },
});
