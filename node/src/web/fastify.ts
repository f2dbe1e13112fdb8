/**
 * Log people in from a Fastify site.
 *
 * @packageDocumentation
 */

import type { IncomingMessage } from "node:http";

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { bodyLeftBy, parsedForm, readBody } from "../body.js";
import { invalidOption, type PortierError } from "../errors.js";
import type { LoginFlow } from "../login-flow.js";
import type { NativeBody } from "../native.js";
import type { Session } from "../session.js";
import type { Problem } from "../step.js";
import { optionalText } from "../text.js";
import { queryOf, TakenRequest } from "../web-request.js";
import { ResponseTracker } from "./response-tracker.js";
import { answer, type Face, type Site } from "./hooks.js";
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
  const { loginPath, logoutPath = "/logout", ...others } = Object.assign(Object.create(null), options) as PortierOptions;
  const { flow, hooks } = readOptions(others);
  const formPath = optionalText(loginPath, "loginPath");
  const endPath = optionalText(logoutPath, "logoutPath");
  const site: Site<FastifyRequest, FastifyReply> = { hooks, face: FACE, sessions: new Sessions(flow) };
  const take = async (step: "login" | "callback", request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { method, headers } = request;
    const body = bodies.get(request) ?? bodyLeftBy(request);
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
  });
}

// So that the decorator and the routes belong to the scope of the site; see `fastify-plugin`.
Object.assign(portier, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "portier-client",
  [Symbol.for("plugin-meta")]: { name: "portier-client", fastify: "5.x" },
});

export { portier as default };

/** The bodies that were read here. */
const bodies = new WeakMap<FastifyRequest, NativeBody>();

function takeBodies(own: FastifyInstance, sendProblem: Portier["login"]): void {
  own.removeAllContentTypeParsers();
  own.addContentTypeParser("*", async (request: FastifyRequest, payload: IncomingMessage) => {
    // If it is not the request itself, a hook of the site has replaced it.
    const body = await readBody(request.raw, payload);
    bodies.set(request, body);
    return Array.isArray(body) ? (request.raw as { body?: unknown }).body : parsedForm(body, request.headers);
  });
  // An invalid content type reaches no parser.
  own.setErrorHandler(async (error: FastifyError, request, reply) => {
    if (error.code !== "FST_ERR_CTP_INVALID_MEDIA_TYPE") throw error;
    return sendProblem(request, reply);
  });
}

/** The path of the callback, relative to the prefix of a scope. */
function pathBelow(prefix: string, { callbackPath }: LoginFlow): string {
  if (callbackPath === prefix || callbackPath.startsWith(`${prefix}/`)) return callbackPath.slice(prefix.length);
  throw invalidOption(`the callback is not in the scope of the plugin callbackPath=${callbackPath} prefix=${prefix}`);
}

const FACE: Face<FastifyReply> = {
  prepare(reply, status, headers) {
    reply.code(status).headers(Object.fromEntries(headers));
  },
  addCookies(reply, cookies) {
    // Fastify adds to the values of this header.
    for (const cookie of cookies) reply.header("set-cookie", cookie);
  },
  addCookiesOnceSuccessful(reply, cookies) {
    ResponseTracker.of(reply.raw).cookies = cookies;
  },
  send(reply, body) {
    sentReplies.add(reply);
    reply.send(body === "" ? undefined : body);
  },
  async runHook(reply, name, hook) {
    const tracker = ResponseTracker.of(reply.raw);
    tracker.hook = name;
    let result: unknown;
    try {
      result = await hook(guarded(reply, tracker));
    } catch (error) {
      // Fastify responds with an error. What the hook sends later is too late.
      failedReplies.add(reply);
      throw error;
    }
    return { answered: tracker.hasBegun || sentReplies.has(reply) || reply.sent, result };
  },
};

/** The replies that were sent, by a hook or by this plugin. */
const sentReplies = new WeakSet<FastifyReply>();
/** The replies of hooks that threw. */
const failedReplies = new WeakSet<FastifyReply>();

// The methods that start a response; some are of well-known plugins.
const ANSWERS = ["send", "redirect", "hijack", "sendFile", "download", "view"];
// The methods that would change a response that was sent.
const CHANGES = ["code", "status", "header", "headers", "removeHeader", "type"];

/**
 * The reply that a hook gets. The first thing that the hook sends is the response; anything later is refused. Fastify
 * itself can still use the reply.
 */
function guarded(reply: FastifyReply, tracker: ResponseTracker): FastifyReply {
  const view: FastifyReply = new Proxy(reply, {
    get(_, name) {
      // A reply is a thenable that settles when the reply ends. An `async` hook that returns it would wait for ever.
      if (name === "then") return undefined;
      const value: unknown = Reflect.get(reply, name);
      if (typeof value !== "function") return value;
      return (...parameters: unknown[]): unknown => {
        const isAnswer = ANSWERS.includes(String(name));
        const isOver = sentReplies.has(reply) || failedReplies.has(reply) || reply.sent;
        if (isOver && (isAnswer || CHANGES.includes(String(name)))) {
          tracker.warn(String(name));
          return view;
        }
        if (isAnswer) sentReplies.add(reply);
        const result: unknown = Reflect.apply(value, reply, parameters);
        return result === reply ? view : result;
      };
    },
    set: (_, name, value) => Reflect.set(reply, name, value),
  });
  return view;
}
