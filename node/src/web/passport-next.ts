// The page after a completed login, after `passport.authenticate`.
import type { IncomingMessage, ServerResponse } from "node:http";

import { invalidOption } from "../errors.js";
import type { Reply } from "../step.js";
import type { Face } from "./hooks.js";
import { nodeFace } from "./node-face.js";
import type { PassportResponse } from "./passport-settings.js";

/** Redirects to the page that a login leads to, after `passport.authenticate`. A script gets JSON. For Express. */
export function redirectToNext(request: IncomingMessage, response: ServerResponse): void {
  const reply = replies.get(request);
  if (reply === undefined) throw invalidOption("redirectToNext has to follow passport.authenticate of the redirect URI");
  const face = faceOf(response);
  face.prepare(response, reply.status, reply.headers);
  face.send(response, reply.body);
}

/**
 * Returns the page that a login leads to, after `passport.authenticate`, from a request of Express or `ctx.state` of Koa.
 */
export function nextPage({ authInfo }: { authInfo?: unknown }): string {
  const { next } = Object(authInfo) as { next?: unknown };
  return typeof next === "string" ? next : "/";
}

/** Keeps the reply of a completed login for {@link redirectToNext}. Returns the page that the login leads to. */
export function keepReply(request: object, reply: Reply): string {
  replies.set(request, reply);
  const { headers, body } = reply;
  const location = headers.find(([name]) => name === "location")?.[1];
  // A script gets JSON instead of a redirect.
  return location ?? (JSON.parse(body) as { url: string }).url;
}

const replies = new WeakMap<object, Reply>();

/** Cookies are set on the response of Node: that of `koa-passport` would replace those of the site. */
export function faceOf(raw: ServerResponse): Face<PassportResponse> {
  return nodeFace(() => raw);
}
