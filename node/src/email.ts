import { unwrap } from "./call.js";
import { InvalidEmail, invalidOption } from "./errors.js";
import { native } from "./native.js";
import { text } from "./text.js";

/**
 * Normalizes an e-mail address, so that equal mailboxes are equal texts. Gives an empty text for
 * what could be no address.
 *
 * The part before the last `@` is put into lower case as Unicode says; the domain becomes ASCII,
 * as in a URL. What comes out is what {@link PortierClient.verify} gives for the address.
 */
export function normalize(email: string): string {
  try {
    return normalizeEmail(email);
  } catch (error) {
    if (error instanceof InvalidEmail) return "";
    throw error;
  }
}

/**
 * As {@link normalize}, but throws {@link InvalidEmail} (`invalid_email`) for what could be no
 * address.
 */
export function normalizeEmail(email: string): string {
  return unwrap(native.normalizeEmail(text(email, "e-mail address", "invalid_email")));
}

/**
 * Gives the page to go back to after a login if a redirect to it stays on this site, else `null`.
 *
 * Without `allowedHosts` only a path passes. Each of `allowedHosts` is a host, with its port unless
 * that is 443, to which an `https` URL may lead as well. Call it when the page is stored and again
 * when it is used.
 */
export function safeNext(page: unknown, allowedHosts: readonly string[] = []): string | null {
  if (!Array.isArray(allowedHosts)) throw invalidOption("allowedHosts is not an array of strings");
  const hosts = Array.from(allowedHosts, (host) => text(host, "allowedHosts", "invalid_option"));
  if (typeof page !== "string" || !page.isWellFormed()) return null;
  return native.safeNext(page, hosts);
}
