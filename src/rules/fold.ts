/**
 * An event name without what people vary: case, spaces, underscores, hyphens and dots. `Added to cart`,
 * `added_to_cart` and `AddedToCart` are one name. Bounded: names beyond 200 characters are cut.
 */
export function foldName(name: string): string {
  return name
    .slice(0, 200)
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\s_.-]+/g, "");
}
