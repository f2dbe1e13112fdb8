/**
 * Log people in from a Fastify site.
 *
 * @packageDocumentation
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { invalidOption, type PortierError } from "../errors.js";
import type { LoginFlow } from "../login-flow.js";
// Not under its own name, which would be that of the interface that @fastify/session declares for "fastify".
import type { Session as SealedSession } from "../session.js";
import type { Problem, Step } from "../step.js";
import { taken, takeBodies } from "./fastify-bodies.js";
import { FASTIFY } from "./fastify-face.js";
import { answer, type Site } from "./hooks.js";
import type { LoginOptions } from "./options.js";
import { readPaths, type Paths } from "./routes.js";
import { Sessions } from "./sessions.js";

export type { BrowserBinding } from "../login-flow.js";
export type { Session } from "../session.js";
export type { Confirmation, Problem } from "../step.js";
export { cookieFlags, loginPolicy } from "./options.js";
export type { CookieFlags } from "./options.js";

/** The options of the plugin. The paths are below the prefix of the scope in which it is registered. */
export type PortierOptions = LoginOptions<[request: FastifyRequest, reply: FastifyReply]> & Paths;

/** The decorator `app.portier`. */
export interface Portier {
  /**
   * Starts a login: takes a form with `email` and, optionally, `next`.
   *
   * Forms of other sites are refused. Otherwise any site could send mail in the name of this site. Your own CSRF check
   * may run before it.
   */
  login(this: void, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  /**
   * Starts a login for `email`, for sites whose form has other fields. Check yourself where the request comes from.
   * Return its result.
   *
   * The login leads to `nextPage`. A page that would leave the site is dropped.
   */
  startLogin(this: void, request: FastifyRequest, reply: FastifyReply, email: string, nextPage?: string): Promise<FastifyReply>;
  /**
   * Returns the session of a request, for pages that everybody may see. It is read once for each request, and its cookie
   * is renewed if necessary. In `onLogin` it is the new session.
   *
   * It is `null` if nobody is signed in, or without the option `secret`.
   */
  session(this: void, request: FastifyRequest, reply: FastifyReply): Promise<SealedSession | null>;
  /**
   * A hook for routes that require a login: `onRequest`, or `preHandler` to run after the body was read. People who are
   * not signed in are redirected to the login page, and after the login back to this page. A script gets a problem (401).
   *
   * ```js
   * app.get("/members", { onRequest: app.portier.requireLogin }, async (request) => {
   *   return `You are ${request.portierSession.email}`;
   * });
   * ```
   */
  requireLogin(this: void, request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Ends the session. For a site with its own route instead of `logoutPath`. */
  logout(this: void, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  /** Returns the page to redirect to, or `null` if a redirect to it could leave the site. */
  safeNext(this: void, page: unknown): string | null;
  /** Explains an error to the person, in the language of the request. */
  explain(this: void, error: PortierError, request: FastifyRequest): Problem;
  /** The flow, for example for {@link LoginFlow.formTargets}. */
  readonly flow: LoginFlow;
}

declare module "fastify" {
  interface FastifyInstance {
    /** The login; see `portier-client/fastify`. */
    portier: Portier;
  }
  interface FastifyRequest {
    /**
     * The session, in routes with {@link Portier.requireLogin}. It throws {@link ConfigError} if nobody is signed in: pages
     * for everybody use the result of {@link Portier.session}.
     */
    readonly portierSession: SealedSession;
  }
  interface FastifyContextConfig {
    /**
     * Whether a route is `POST` of the redirect URI, the only route that a CSRF check must skip.
     */
    portierCallback?: boolean;
  }
}

/**
 * A plugin for Fastify 5 with the routes of a login. It parses its own forms, and does not use or change the parsers of
 * the site.
 *
 * ```js
 * await app.register(portier, {
 *   client: new PortierClient({ redirectUri: "https://example.com/verify" }),
 *   loginPath: "/login",
 *   onLogin: ({ email }, request, reply) => reply.setCookie("email", email, { signed: true }),
 * });
 * ```
 *
 * Rejects with {@link ConfigError} for invalid and unknown options.
 */
export async function portier(app: FastifyInstance, options: PortierOptions): Promise<void> {
  const { flow, hasSessions, hooks, paths } = readPaths(options);
  const site: Site<FastifyRequest, FastifyReply> = { hooks, face: FASTIFY, sessions: new Sessions(flow, hasSessions) };
  type Handler = Portier["login"];
  const answering =
    (step: (request: FastifyRequest) => Promise<Step>): Handler =>
    async (request, reply) => {
      await answer(await step(request), site, request, reply);
      return reply;
    };
  const login = answering((request) => flow.login(taken(request)));
  const callback = answering((request) => flow.callback(taken(request)));
  const logout = answering((request) => flow.logout(request));
  const session: Portier["session"] = (request, reply) =>
    site.sessions.of(request, request.headers, (cookie) => {
      if (!reply.sent) reply.header("set-cookie", cookie);
    });
  app.decorateRequest("portierSession", {
    getter(): SealedSession {
      const session = site.sessions.current(this);
      if (session === undefined) throw invalidOption(NOT_GUARDED);
      return session;
    },
  });
  app.decorate("portier", {
    login,
    startLogin: (request, reply, email, nextPage) =>
      answering(() => flow.start(request, email, nextPage))(request, reply),
    session,
    async requireLogin(request, reply) {
      if ((await session(request, reply)) === null) await answer(site.sessions.requireLogin(request), site, request, reply);
    },
    logout,
    safeNext: (page) => flow.safeNext(page),
    explain: (error, request) => flow.explain(error, request.headers["accept-language"]),
    flow,
  });
  await app.register(async (own) => {
    const isCallback = ({ raw }: FastifyRequest): boolean => flow.isCallback(raw.url);
    takeBodies(own, (request, reply) => (isCallback(request) ? callback : login)(request, reply));
    // The router of a site may ignore case or slashes.
    const handler: Handler = async (request, reply) =>
      isCallback(request) ? callback(request, reply) : (reply.callNotFound() as unknown as FastifyReply);
    // A single colon would begin a parameter.
    const url = decodeURI(pathBelow(own.prefix, flow)).replaceAll(":", "::");
    own.route({ method: "POST", url, config: { portierCallback: true }, handler });
    own.route({ method: own.supportedMethods.filter((method) => method !== "POST"), url, config: { portierCallback: false }, handler });
    const { loginPath, logoutPath, healthPath } = paths;
    if (loginPath !== null) own.post(loginPath, login);
    if (logoutPath !== null) own.all(logoutPath, logout);
    if (healthPath !== null) own.all(healthPath, answering((request) => flow.health(request)));
  });
}

// So that the decorator and the routes belong to the scope of the site; see `fastify-plugin`.
Object.assign(portier, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "portier-client",
  [Symbol.for("plugin-meta")]: { name: "portier-client", fastify: "5.x" },
});

export { portier as default };

const NOT_GUARDED =
  "portierSession is for routes with requireLogin; in others, use the result of app.portier.session(request, reply)";

/** The path of the callback, relative to the prefix of a scope. */
function pathBelow(prefix: string, { callbackPath }: LoginFlow): string {
  if (callbackPath === prefix || callbackPath.startsWith(`${prefix}/`)) return callbackPath.slice(prefix.length);
  throw invalidOption(`the callback is not in the scope of the plugin callbackPath=${callbackPath} prefix=${prefix}`);
}
