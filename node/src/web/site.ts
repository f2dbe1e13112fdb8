import type { PortierClient } from "../client.js";
import { members } from "../text.js";

// To where the public broker sends people on without a page of its own: Gmail addresses to Google.
const GOOGLE = "https://accounts.google.com";

/**
 * Gives a `Content-Security-Policy` for a page with a login form.
 *
 * Chromium holds a form to `form-action` through every redirect that follows it. So the broker's
 * origin must be in there, and the origins of the `identityProviders` to which the broker at once
 * sends people on: the public one sends Gmail addresses to Google. Without them the form does
 * nothing, and only the browser's console says why.
 *
 * ```js
 * response.set("Content-Security-Policy", loginPolicy(client));
 * ```
 */
export function loginPolicy(
  client: PortierClient,
  options: { identityProviders?: Iterable<string> } = {},
): string {
  const { identityProviders = [GOOGLE] } = members(options, ["identityProviders"]) as typeof options;
  const targets = ["'self'", client.broker, ...identityProviders].join(" ");
  return (
    `default-src 'self'; form-action ${targets}; ` +
    "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
  );
}

/** The flags {@link cookieFlags} gives. */
export interface CookieFlags {
  httpOnly: true;
  path: "/";
  sameSite: "lax";
  secure: boolean;
}

/**
 * Gives flags for the cookie that keeps a person signed in, as `response.cookie` of Express and
 * `reply.setCookie` of `@fastify/cookie` take them.
 *
 * `Lax`, because the login arrives from the broker's site: a `Strict` cookie would be missing on
 * the page that follows. `Secure` behind `https`.
 */
export function cookieFlags(client: PortierClient): CookieFlags {
  return { httpOnly: true, path: "/", sameSite: "lax", secure: isSecure(client) };
}

/** Whether browsers reach the site over `https`. */
export function isSecure(client: PortierClient): boolean {
  return /^https:/i.test(client.redirectUri);
}
