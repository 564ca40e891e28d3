const ADDRESS = /[^\s@<>"'(),:;[\]\\]+(?:@|%40)[^\s@<>"'(),:;[\]\\%]+\.[\p{L}\p{N}-]{2,}/iu;
/** A full international number and nothing else: order numbers have no plus. */
const PHONE = /^\s*\+\d(?:[\s().\-/]*\d){7,14}\s*$/;

/** Whether a plain text holds what looks like an e-mail address, or is an international phone number. */
export function looksPersonal(text: string): boolean {
  if (text.includes("@") || text.includes("%40")) return ADDRESS.test(text);
  return text.charCodeAt(0) <= 43 && PHONE.test(text);
}
