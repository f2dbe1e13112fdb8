// What the site's cookies say. The framework signs them.
import { randomBytes, timingSafeEqual } from "node:crypto";

const THIRTY_DAYS_MS = 30 * 24 * 60 * 60 * 1000;

/** The cookie of somebody who has just signed in. */
export function write(email) {
  return JSON.stringify({ email, since: Date.now() });
}

/** Who a cookie is of, if the signature held: an address or `null`. */
export function read(text) {
  try {
    const { email, since } = JSON.parse(text);
    const age = Date.now() - since;
    return typeof email === "string" && age >= 0 && age < THIRTY_DAYS_MS ? email : null;
  } catch {
    return null;
  }
}

/** A token for the site's own forms: a page of another site does not know it. */
export function newToken() {
  return randomBytes(24).toString("base64url");
}

/** Whether a form carries the token of its visitor. */
export function isToken(token, given) {
  if (typeof given !== "string") return false;
  const [expected, actual] = [Buffer.from(token), Buffer.from(given)];
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/**
 * Flags for all cookies. `Lax`, because a login arrives from the broker's site: a `Strict` cookie
 * would be missing on the page that follows.
 */
export function cookieFlags(client) {
  const secure = client.redirectUri.startsWith("https:");
  return { httpOnly: true, path: "/", sameSite: "lax", secure };
}
