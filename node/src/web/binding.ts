/**
 * What ties a login to the browser it was started in: a cookie and a form.
 *
 * The broker's page posts its answer from another site, without `Lax` cookies. A page of ours posts
 * the same fields once more, and then they are there.
 */

import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

import { callbackPairs } from "../callback.js";
import type { PortierClient } from "../client.js";
import { field } from "./form.js";
import { isSecure } from "./site.js";

/** What happens where a login ends in another browser than it was started in. */
export type BrowserBinding = "off" | "confirm" | "require";

/** Names and values of hidden fields of a form. */
export type Fields = readonly (readonly [name: string, value: string])[];

/** All there is. */
export const BINDINGS: readonly BrowserBinding[] = ["off", "confirm", "require"];

/** Draws a secret for a browser. */
export function newSecret(): string {
  return randomBytes(OCTETS).toString("base64url");
}

/** The secret of the browser that sends a request, if it has one of the shape of our own. */
export function secretOf(headers: IncomingHttpHeaders, client: PortierClient): string | undefined {
  const secret = cookie(headers.cookie ?? "", cookieName(client));
  return secret !== undefined && SECRET.test(secret) ? secret : undefined;
}

/** The `Set-Cookie` that has a browser keep its secret. */
export function cookieOf(secret: string, client: PortierClient): string {
  const flags = `Max-Age=${COOKIE_SECONDS}; Path=/; HttpOnly; SameSite=Lax`;
  return `${cookieName(client)}=${secret}; ${flags}${isSecure(client) ? "; Secure" : ""}`;
}

/** The broker's answer, repeated fields and all; nothing else travels on. */
export function fieldsToPostAgain(form: object): Fields {
  return [...callbackPairs(form), [AGAIN, "1"]];
}

/** What a person posts who agrees to go on in this browser. */
export function fieldsToConfirm(form: object, confirmation: string): Fields {
  const answer = fieldsToPostAgain(form).filter(([name]) => !name.startsWith("error"));
  return [...answer, [CONFIRMATION, confirmation]];
}

/**
 * Whether a form was posted by a page of ours, as far as can be told without a cookie.
 *
 * What a browser says of another site's page counts for more than the field, which that page may
 * have added: it would only have the visitor's own cookie replaced.
 */
export function isPostedAgain(form: object, headers: IncomingHttpHeaders): boolean {
  const site = headers["sec-fetch-site"];
  return Object.hasOwn(form, AGAIN) && (site === undefined || site === "same-origin" || site === "none");
}

/** What was confirmed; see `BrowserMismatch.confirmation`. */
export function confirmationOf(form: object): string | undefined {
  return field(form, CONFIRMATION) || undefined;
}

const OCTETS = 32;
const SECRET = /^[A-Za-z0-9_-]{43}$/;
const COOKIE_SECONDS = 24 * 60 * 60;

// Says that a form comes from a page of ours; anybody can claim it.
const AGAIN = "portier_again";
const CONFIRMATION = "portier_confirmation";

// A name is trimmed of what browsers trim, and no more: a host beside the site may set a cookie whose
// name begins with another kind of space, and then with `__Host-`. Of two of a name, none is ours.
function cookie(header: string, name: string): string | undefined {
  const named = header
    .split(";")
    .map((pair) => pair.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((pair) => pair.startsWith(`${name}=`));
  return named.length === 1 ? named[0]?.slice(name.length + 1) : undefined;
}

// Browsers take `__Host-` from this very host only, and over `https`.
function cookieName(client: PortierClient): string {
  return isSecure(client) ? "__Host-portier" : "portier";
}
