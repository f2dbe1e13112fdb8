import { unwrap } from "./call.js";
import { InvalidEmail, invalidOption } from "./errors.js";
import { native } from "./native.js";
import { text } from "./text.js";

/**
 * Normalizes an e-mail address, so that equal mailboxes are equal strings. Returns an empty string if the
 * input cannot be an address.
 *
 * The part before the last `@` becomes lower case as Unicode defines it. The domain becomes ASCII, as in a URL.
 * {@link PortierClient.verify} returns addresses in this form.
 */
export function normalize(email: string): string {
  try {
    return normalizeEmail(email);
  } catch (error) {
    if (error instanceof InvalidEmail) return "";
    throw error;
  }
}

/** As {@link normalize}, but throws {@link InvalidEmail} (`invalid_email`) if the input cannot be an address. */
export function normalizeEmail(email: string): string {
  return unwrap(native.normalizeEmail(text(email, "e-mail address", "invalid_email")));
}

/**
 * Returns the page to go back to after a login, or `null` if a redirect to it could leave the site.
 *
 * Without `allowedHosts`, only paths are accepted. `allowedHosts` are further hosts to which an `https` URL may lead. A
 * host has its port, unless that is 443. Check a page when it is stored, and again when it is
 * used.
 */
export function safeNext(page: unknown, allowedHosts: readonly string[] = []): string | null {
  if (!Array.isArray(allowedHosts)) throw invalidOption("allowedHosts is not an array of strings");
  const hosts = Array.from(allowedHosts, (host) => text(host, "allowedHosts", "invalid_option"));
  if (typeof page !== "string" || !page.isWellFormed()) return null;
  return native.safeNext(page, hosts);
}
