/**
 * The codes two independent peers carry as Snapchat's list. Whether Snapchat refuses others is unknown, so another
 * three-letter code is sent with a warning.
 */
export const CURRENCIES: readonly string[] = (
  "AED ALL AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK DZD EGP EUR GBP GHS GIP HKD HRK HUF IDR ILS INR IQD ISK JOD JPY " +
  "KES KRW KWD KZT LBP MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY TWD TZS UAH USD VND " +
  "XOF ZAR"
).split(" ");

const CODES: ReadonlySet<string> = new Set(CURRENCIES);

/** Whether `code`, in upper case, is on the list. */
export function isListedCurrency(code: string): boolean {
  return CODES.has(code);
}
