// The session of a browser, kept in one signed cookie: who is signed in, and a token that distinguishes the site's
// own forms from those of other sites.
import { randomBytes, timingSafeEqual } from "node:crypto";

import { cookieFlags } from "portier-client/express";

const LIFETIME_SECONDS = 30 * 24 * 60 * 60;

/** A session for a browser without one, or for a person who has just signed in. */
export function beginSession(email) {
  return { email, token: randomBytes(18).toString("base64url"), since: Date.now() };
}

/** Reads the session from a cookie with a valid signature; `undefined` otherwise. */
export function readSession(text) {
  // Only this site signs, and it signs nothing else, so the content can be trusted.
  const session = text ? JSON.parse(text) : undefined;
  return session?.since > Date.now() - LIFETIME_SECONDS * 1000 ? session : undefined;
}

/** Whether a form was sent from a page of this site, in this session. */
export function isFromHere(session, form) {
  const sent = Buffer.from(field(form, "token"));
  const expected = Buffer.from(session?.token ?? "");
  return expected.length > 0 && sent.length === expected.length && timingSafeEqual(sent, expected);
}

/** A field of a form or of a query; empty if it is missing or repeated. */
export function field(form, name) {
  const value = form?.[name];
  return typeof value === "string" ? value : "";
}

/** The name and the flags of the cookie. */
export function sessionCookie(client) {
  const flags = { ...cookieFlags(client), signed: true };
  // With this prefix no other host of the domain can set it.
  return { name: flags.secure ? "__Host-session" : "session", flags };
}
