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

/** What a Fastify site says of its logins. */
export type PortierOptions = LoginOptions<FastifyRequest, FastifyReply> & Paths;

/** Where the routes of the plugin are. */
interface Paths {
  /**
   * Where the login form posts to, for which the plugin then has a route; none by default, for a
   * site that has a route of its own with {@link Portier.login} or {@link Portier.startLogin}.
   */
  loginPath?: string | undefined;
  /**
   * Where the form to sign out posts to, for which the plugin has a route if there is a `secret`; `/logout` by
   * default, and none with `null`.
   */
  logoutPath?: string | null | undefined;
}

/** What the plugin adds to the site, as `app.portier`. */
export interface Portier {
  /**
   * Starts a login: takes a form with `email` and, optionally, `next`.
   *
   * Forms of other sites are refused, as their browsers tell: without that any site could send mail
   * in this one's name. A check of your own can come before it.
   */
  login(this: void, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  /**
   * Sends the browser to the broker, to prove that `email` is its person's address: for sites with
   * a login form of another shape. Where the request comes from is for you to check. Return what it
   * gives.
   *
   * `nextPage` comes back once that is done. Where it would lead off this site it is dropped.
   */
  startLogin(
    this: void,
    request: FastifyRequest,
    reply: FastifyReply,
    email: string,
    nextPage?: string,
  ): Promise<FastifyReply>;
  /**
   * Gives the session of the person who sends a request, or `null`, and puts it into `request.portierSession`.
   * It is looked up once for each request, and its cookie renewed when that is due. In `onLogin` it is the
   * session that begins.
   *
   * For sites with the option `secret`; for others, as for everybody who is not signed in, it is `null`.
   */
  session(this: void, request: FastifyRequest, reply: FastifyReply): Promise<Session | null>;
  /**
   * A hook for routes that need a login, as `onRequest` or `preHandler`. Who is not signed in is redirected to
   * the login page, and from there back to this one; a script gets a problem (401).
   *
   * ```js
   * app.get("/members", { onRequest: app.portier.requireLogin }, async (request) => {
   *   return `You are ${request.portierSession.email}`;
   * });
   * ```
   */
  requireLogin(this: void, request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Ends the session: for a site with a route of its own in place of `logoutPath`. */
  logout(this: void, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  /** Gives the page as a redirect may use it, or `null` if it would lead off this site. */
  safeNext(this: void, page: unknown): string | null;
  /** Puts an error into words, in the language of the request. */
  explain(this: void, error: PortierError, request: FastifyRequest): Problem;
}

declare module "fastify" {
  interface FastifyInstance {
    /** The login; see `portier-client/fastify`. */
    portier: Portier;
  }
  interface FastifyRequest {
    /** Who is signed in, once {@link Portier.session} or {@link Portier.requireLogin} has looked. */
    portierSession: Session | null;
  }
  interface FastifyContextConfig {
    /**
     * Whether a route is the broker's post to the redirect URI, the only one that a check of forms
     * has to let pass.
     */
    portierCallback?: boolean;
  }
}

/**
 * A plugin for Fastify 5 with the routes of a login. It parses its own forms, and leaves the parsers
 * of the site alone.
 *
 * ```js
 * await app.register(portier, {
 *   client: new PortierClient({ redirectUri: "https://example.com/verify" }),
 *   loginPath: "/login",
 *   onLogin: ({ email }, request, reply) => reply.setCookie("email", email, { signed: true }),
 * });
 * ```
 *
 * Rejects with {@link ConfigError} for options that cannot work, and for ones that do not exist.
 */
export async function portier(app: FastifyInstance, options: PortierOptions): Promise<void> {
  // Its own members only, whatever `Object.prototype` may have.
  const { loginPath, logoutPath = "/logout", ...others } = Object.assign(Object.create(null), options) as PortierOptions;
  const { flow, hooks } = readOptions<FastifyRequest, FastifyReply>(others);
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
    request.portierSession = await site.sessions.of(request, (cookie) => {
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
        // A colon would begin a parameter.
        url: decodeURI(path).replaceAll(":", "::"),
        config: { portierCallback },
        handler: async (request, reply) => {
          // The router of a site may be told not to mind case or slashes.
          return isCallback(request) ? callback(request, reply) : reply.callNotFound();
        },
      });
    }
    if (formPath !== undefined) own.post(formPath, login);
    if (endPath !== undefined && (others.secret ?? undefined) !== undefined) own.post(endPath, logout);
  });
}

// So that what it adds is the site's, and not that of a scope of its own; see `fastify-plugin`.
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
    // Elsewhere than in the request it is what a hook of the site has made of it.
    const body = await readBody(request.raw, payload);
    bodies.set(request, body);
    return Array.isArray(body) ? (request.raw as { body?: unknown }).body : parsedForm(body, request.headers);
  });
  // A content type that cannot be read comes to no parser.
  own.setErrorHandler(async (error: FastifyError, request, reply) => {
    if (error.code !== "FST_ERR_CTP_INVALID_MEDIA_TYPE") throw error;
    return sendProblem(request, reply);
  });
}

/** The path of the callback, for a route in a scope. */
function pathBelow(prefix: string, { callbackPath }: LoginFlow): string {
  if (callbackPath === prefix || callbackPath.startsWith(`${prefix}/`)) return callbackPath.slice(prefix.length);
  throw invalidOption(`the callback is not in the scope of the plugin callbackPath=${callbackPath} prefix=${prefix}`);
}

const FACE: Face<FastifyReply> = {
  prepare(reply, status, headers) {
    reply.code(status).headers(Object.fromEntries(headers));
  },
  addCookies(reply, cookies) {
    // Of this header Fastify keeps what was there.
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
      // Fastify answers, with an error: what the hook sends from now on is too late.
      failedReplies.add(reply);
      throw error;
    }
    return { answered: tracker.hasBegun || sentReplies.has(reply) || reply.sent, result };
  },
};

/** The replies that were sent, whoever did it. */
const sentReplies = new WeakSet<FastifyReply>();
/** The replies of hooks that threw. */
const failedReplies = new WeakSet<FastifyReply>();

// What begins an answer, now or in a moment; some are of well-known plugins.
const ANSWERS = ["send", "redirect", "hijack", "sendFile", "download", "view"];
// What would change one that is on its way.
const CHANGES = ["code", "status", "header", "headers", "removeHeader", "type"];

/**
 * A reply as a hook gets it. What the hook sends counts as the answer; what it sends when there is one
 * already is refused, while Fastify itself can go on with the reply.
 */
function guarded(reply: FastifyReply, tracker: ResponseTracker): FastifyReply {
  const view: FastifyReply = new Proxy(reply, {
    get(_, name) {
      // A reply is a promise of its own end: a function that returns one would wait for what comes after it.
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
