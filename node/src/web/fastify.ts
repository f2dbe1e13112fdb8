/**
 * Log people in from a Fastify site.
 *
 * @packageDocumentation
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { invalidOption, type PortierError } from "../errors.js";
import type { LoginFlow } from "../login-flow.js";
import type { Session } from "../session.js";
import type { Problem } from "../step.js";
import { optionalText } from "../text.js";
import { queryOf, TakenRequest } from "../web-request.js";
import { bodyOf, takeBodies } from "./fastify-bodies.js";
import { FASTIFY } from "./fastify-face.js";
import { answer, type Site } from "./hooks.js";
import { readOptions, type LoginOptions } from "./options.js";
import { Sessions } from "./sessions.js";

export type { BrowserBinding } from "../login-flow.js";
export type { Session } from "../session.js";
export type { Confirmation, Problem } from "../step.js";
export { cookieFlags, loginPolicy } from "./options.js";
export type { CookieFlags } from "./options.js";

/** The options of the plugin. */
export type PortierOptions = LoginOptions<[request: FastifyRequest, reply: FastifyReply]> & Paths;

/** The routes of the plugin. */
interface Paths {
  /**
   * The path of the login form, for which the plugin adds a route. By default it adds none, for a site that has its own
   * route with {@link Portier.login} or {@link Portier.startLogin}.
   */
  loginPath?: string | undefined;
  /**
   * The path of the form to sign out, for which the plugin adds a route if there is a `secret`; `/logout` by default, no
   * route with `null`.
   */
  logoutPath?: string | null | undefined;
  /** The path of health checks, such as `/healthz`, for which the plugin adds a route; none by default. */
  healthPath?: string | null | undefined;
}

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
  startLogin(
    this: void,
    request: FastifyRequest,
    reply: FastifyReply,
    email: string,
    nextPage?: string,
  ): Promise<FastifyReply>;
  /**
   * Returns the session of a request, and sets `request.portierSession`. It is read once for each request, and its cookie
   * is renewed if necessary. In `onLogin` it is the new session.
   *
   * It is `null` if nobody is signed in, or without the option `secret`.
   */
  session(this: void, request: FastifyRequest, reply: FastifyReply): Promise<Session | null>;
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
}

declare module "fastify" {
  interface FastifyInstance {
    /** The login; see `portier-client/fastify`. */
    portier: Portier;
  }
  interface FastifyRequest {
    /** The session, after {@link Portier.session} or {@link Portier.requireLogin} has read it. */
    portierSession: Session | null;
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
  // Only own properties, whatever `Object.prototype` has.
  const own = Object.assign(Object.create(null), options) as PortierOptions;
  const { loginPath, logoutPath = "/logout", healthPath, ...others } = own;
  const { flow, hooks } = readOptions(others);
  const formPath = optionalText(loginPath, "loginPath");
  const endPath = optionalText(logoutPath, "logoutPath");
  const checkPath = optionalText(healthPath, "healthPath");
  const site: Site<FastifyRequest, FastifyReply> = { hooks, face: FASTIFY, sessions: new Sessions(flow) };
  const take = async (step: "login" | "callback", request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { method, headers } = request;
    const body = bodyOf(request);
    const taken = new TakenRequest(method, headers, queryOf(request), body);
    await answer(await flow[step](taken), site, request, reply);
    return reply;
  };
  const login: Portier["login"] = (request, reply) => take("login", request, reply);
  const callback: Portier["login"] = (request, reply) => take("callback", request, reply);
  const logout: Portier["logout"] = async (request, reply) => {
    await answer(await flow.logout(request), site, request, reply);
    return reply;
  };
  const session: Portier["session"] = async (request, reply) => {
    request.portierSession = await site.sessions.of(request, request.headers, (cookie) => {
      if (!reply.sent) reply.header("set-cookie", cookie);
    });
    return request.portierSession;
  };
  app.decorateRequest("portierSession", null);
  app.decorate("portier", {
    login,
    async startLogin(request, reply, email, nextPage) {
      await answer(await flow.start(request, email, nextPage), site, request, reply);
      return reply;
    },
    session,
    async requireLogin(request, reply) {
      if ((await session(request, reply)) !== null) return;
      await answer(flow.requireLogin(request), site, request, reply);
    },
    logout,
    safeNext: (page) => flow.safeNext(page),
    explain: (error, request) => flow.explain(error, request.headers["accept-language"]),
  });
  await app.register(async (own) => {
    const isCallback = ({ raw }: FastifyRequest): boolean => flow.isCallback(raw.url);
    takeBodies(own, (request, reply) => (isCallback(request) ? callback : login)(request, reply));
    const path = pathBelow(own.prefix, flow);
    for (const [method, portierCallback] of [
      [["POST"], true],
      [own.supportedMethods.filter((method) => method !== "POST"), false],
    ] as const) {
      own.route({
        method: [...method],
        // A single colon would begin a parameter.
        url: decodeURI(path).replaceAll(":", "::"),
        config: { portierCallback },
        handler: async (request, reply) => {
          // The router of a site may ignore case or slashes.
          return isCallback(request) ? callback(request, reply) : reply.callNotFound();
        },
      });
    }
    if (formPath !== undefined) own.post(formPath, login);
    if (endPath !== undefined && (others.secret ?? undefined) !== undefined) {
      own.route({ method: [...own.supportedMethods], url: endPath, handler: logout });
    }
    if (checkPath !== undefined) {
      const health = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
        await answer(await flow.health(request), site, request, reply);
        return reply;
      };
      own.route({ method: [...own.supportedMethods], url: checkPath, handler: health });
    }
  });
}

// So that the decorator and the routes belong to the scope of the site; see `fastify-plugin`.
Object.assign(portier, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "portier-client",
  [Symbol.for("plugin-meta")]: { name: "portier-client", fastify: "5.x" },
});

export { portier as default };

/** The path of the callback, relative to the prefix of a scope. */
function pathBelow(prefix: string, { callbackPath }: LoginFlow): string {
  if (callbackPath === prefix || callbackPath.startsWith(`${prefix}/`)) return callbackPath.slice(prefix.length);
  throw invalidOption(`the callback is not in the scope of the plugin callbackPath=${callbackPath} prefix=${prefix}`);
}
