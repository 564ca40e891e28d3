import { page } from "./page.ts";

/** The page as a route: without a fragment, unless the fragment is the route (`#/cart`, `#!cart`). */
export const where = (): string => page.location.href.replace(/#(?![!/]).*/, "");

/**
 * Calls back now and after every change of route, once the page's address has changed: the pixel reads it late, and
 * routers set it in their own time. Several changes in one turn are one.
 */
export function onEveryRoute(changed: () => void): void {
  const { history } = page;
  let seen: string;
  const look = () => {
    const before = seen;
    seen = where();
    if (seen !== before) changed();
  };
  const later = () => setTimeout(look);
  look();
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = (...call) => {
      later();
      return original.apply(history, call);
    };
  }
  page.addEventListener("popstate", later);
}
