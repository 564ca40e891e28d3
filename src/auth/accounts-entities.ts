/**
 * What Snapchat tells of accounts, in its own words; fields that nobody here reads come along untyped. Organizations hold
 * contact data: show them, do not log them.
 */
interface Entity {
  id: string;
  [field: string]: unknown;
}

/** `GET /me` (Ads-API/user). */
export interface Me extends Entity {
  display_name?: string;
  email?: string;
  /** One of the person's organizations; `members` names all. */
  organization_id?: string;
  members?: readonly { id: string; organization_id: string }[];
}

/** `GET /me/organizations?with_ad_accounts=true` (Ads-API/organizations). */
export interface Organization extends Entity {
  name: string;
  country?: string;
  state?: string;
  /** `admin`, `business_admin`, `data_admin`, `member`, `agency_admin`, `agency_member`. */
  roles?: readonly string[];
  ad_accounts?: readonly AdAccount[];
}

/** `GET /organizations/{id}/adaccounts` (Ads-API/ad-accounts). Roles come with organizations only, `test` only here. */
export interface AdAccount extends Entity {
  name: string;
  status?: string;
  currency?: string;
  timezone?: string;
  /** `admin`, `general`, `creative`, `reports`, `audience`. */
  roles?: readonly string[];
  test?: boolean;
}

/** `GET /organizations/{id}/pixels`, `GET /adaccounts/{id}/pixels` (Ads-API/snap-pixel). */
export interface Pixel extends Entity {
  name: string;
  ad_account_id?: string;
  organization_id?: string;
  status?: string;
  effective_status?: string;
}

/** `GET /organizations/{id}/mobile_apps` (Ads-API/snap-app-id). */
export interface MobileApp extends Entity {
  name: string;
  ios_app_id?: string;
  android_app_url?: string;
}
