/** Which group of fields a row carries beyond the shared ones. */
export type RowFields = "none" | "product" | "list" | "order" | "search" | "sign_up" | "amount" | "promotion";

/** One row of a preset's event screen. */
export interface PresetRow {
  /** The event as this source names it. */
  on: string;
  /** Snap event, or `segment:add` / `segment:remove`. */
  to: string;
  label: string;
  fields: RowFields;
  /** Happens in an app, whatever the event says. */
  app?: boolean;
}

const row = (on: string, to: string, label: string, fields: RowFields = "none", app = false): PresetRow => ({
  on,
  to,
  label,
  fields,
  ...(app ? { app } : {}),
});

const SEGMENTS: readonly PresetRow[] = [
  row("added_to_segment", "segment:add", "Person added to a segment"),
  row("removed_from_segment", "segment:remove", "Person removed from a segment"),
];

/** Events CustomerLabs ships, and its reserved membership events. */
export const CUSTOMERLABS_ROWS: readonly PresetRow[] = [
  row("Page viewed", "PAGE_VIEW", "Page viewed"),
  row("Product viewed", "VIEW_CONTENT", "Product viewed", "product"),
  row("Category viewed", "LIST_VIEW", "Category viewed", "list"),
  row("Search made", "SEARCH", "Search made", "search"),
  row("Added to cart", "ADD_CART", "Added to cart", "product"),
  row("Removed from cart", "CUSTOM_EVENT_1", "Removed from cart", "product"),
  row("Cart viewed", "CUSTOM_EVENT_2", "Cart viewed", "product"),
  row("Added to wishlist", "ADD_TO_WISHLIST", "Added to wishlist", "product"),
  row("Checkout made", "START_CHECKOUT", "Checkout made", "order"),
  row("AddContact", "ADD_BILLING", "Contact details added", "order"),
  row("AddShippingInfo", "ADD_BILLING", "Shipping details added", "order"),
  row("AddPaymentInfo", "ADD_BILLING", "Payment details added", "order"),
  row("Purchased", "PURCHASE", "Purchased", "order"),
  row("lead_created", "SIGN_UP", "Lead created", "sign_up"),
  ...SEGMENTS,
];

/** Segment's and RudderStack's e-commerce specification, with the events of their other specifications Snapchat knows. */
export const ECOMMERCE_ROWS: readonly PresetRow[] = [
  row("page", "PAGE_VIEW", "Page viewed"),
  row("screen", "PAGE_VIEW", "App screen viewed", "none", true),
  row("Product Viewed", "VIEW_CONTENT", "Product viewed", "product"),
  row("Product List Viewed", "LIST_VIEW", "Product list viewed", "list"),
  row("Products Searched", "SEARCH", "Products searched", "search"),
  row("Product Added", "ADD_CART", "Product added to cart", "product"),
  row("Product Removed", "CUSTOM_EVENT_1", "Product removed from cart", "product"),
  row("Cart Viewed", "CUSTOM_EVENT_2", "Cart viewed", "product"),
  row("Product Added to Wishlist", "ADD_TO_WISHLIST", "Product added to wishlist", "product"),
  row("Checkout Started", "START_CHECKOUT", "Checkout started", "order"),
  row("Checkout Step Completed", "ADD_BILLING", "Checkout step completed", "order"),
  row("Payment Info Entered", "ADD_BILLING", "Payment details entered", "order"),
  row("Order Completed", "PURCHASE", "Order completed", "order"),
  row("Signed Up", "SIGN_UP", "Signed up", "sign_up"),
  row("Signed In", "LOGIN", "Signed in"),
  row("Lead Generated", "SIGN_UP", "Lead generated", "sign_up"),
  row("Subscription Created", "SUBSCRIBE", "Subscription created", "amount"),
  row("Trial Started", "START_TRIAL", "Trial started", "amount"),
  row("Promotion Viewed", "AD_VIEW", "Promotion viewed", "promotion"),
  row("Promotion Clicked", "AD_CLICK", "Promotion clicked", "promotion"),
  row("Product Shared", "SHARE", "Product shared", "list"),
  row("Application Installed", "APP_INSTALL", "App installed", "none", true),
  row("Application Opened", "APP_OPEN", "App opened", "none", true),
  ...SEGMENTS,
];

/** Other names for the rows above, by source; a host's own come on top. */
export const ALIASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  customerlabs: {
    pageview: "Page viewed",
    "page load": "Page viewed",
  },
  segment: {
    "Sign Up": "Signed Up",
    "User Signed Up": "Signed Up",
    "Account Created": "Signed Up",
    Login: "Signed In",
  },
  rudderstack: {
    "Sign Up": "Signed Up",
    Login: "Signed In",
    Subscribe: "Subscription Created",
    "Start Trial": "Trial Started",
  },
  ecommerce: {
    "Page viewed": "page",
    pageview: "page",
    "Category viewed": "Product List Viewed",
    "Search made": "Products Searched",
    "Added to cart": "Product Added",
    "Removed from cart": "Product Removed",
    "Added to wishlist": "Product Added to Wishlist",
    "Checkout made": "Checkout Started",
    AddPaymentInfo: "Payment Info Entered",
    Purchased: "Order Completed",
    lead_created: "Lead Generated",
    view_item: "Product Viewed",
    view_item_list: "Product List Viewed",
    search: "Products Searched",
    add_to_cart: "Product Added",
    remove_from_cart: "Product Removed",
    view_cart: "Cart Viewed",
    add_to_wishlist: "Product Added to Wishlist",
    begin_checkout: "Checkout Started",
    add_payment_info: "Payment Info Entered",
    purchase: "Order Completed",
    sign_up: "Signed Up",
    login: "Signed In",
    generate_lead: "Lead Generated",
    subscribe: "Subscription Created",
    start_trial: "Trial Started",
    view_promotion: "Promotion Viewed",
    select_promotion: "Promotion Clicked",
    share: "Product Shared",
  },
};
