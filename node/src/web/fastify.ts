/**
 * Log people in from a Fastify site.
 *
 * @packageDocumentation
 */

import { Readable } from "node:stream";

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { invalidOption } from "../errors.js";
import { optionalText } from "../text.js";
import { ask } from "./answered.js";
import { FORM, keptForm, MOST_OCTETS, parseForm } from "./form.js";
import { LoginFlow, type Framework } from "./flow.js";
import { readOptions, type LoginOptions } from "./options.js";
import { NOT_A_FORM, TOO_LARGE, type Problem } from "./problems.js";

export type { BrowserBinding } from "./binding.js";
export type { Confirmation } from "./confirmation.js";
export { explain } from "./problems.js";
export type { Problem } from "./problems.js";
export { cookieFlags, loginPolicy } from "./site.js";
export type { CookieFlags } from "./site.js";

/** What a Fastify site says of its logins. */
export interface PortierOptions extends LoginOptions<FastifyRequest, FastifyReply> {
  /**
   * Where the login form posts to, for which the plugin then has a route; none by default, for a
   * site that has a route of its own with {@link Portier.login} or {@link Portier.startLogin}.
   */
  loginPath?: string | undefined;
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
  /** Gives the page as a redirect may use it, or `null` if it would lead off this site. */
  safeNext(this: void, page: unknown): string | null;
}

declare module "fastify" {
  interface FastifyInstance {
    /** The login; see `portier-client/fastify`. */
    portier: Portier;
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
  const { loginPath, ...others } = Object.assign(Object.create(null), options) as PortierOptions;
  const site = readOptions<FastifyRequest, FastifyReply>(others);
  const formPath = optionalText(loginPath, "loginPath");
  const flow = new LoginFlow(site, FRAMEWORK);
  const login: Portier["login"] = async (request, reply) => {
    await flow.login(request, reply);
    return reply;
  };
  app.decorate("portier", {
    login,
    startLogin: async (request, reply, email, nextPage) => {
      await flow.startLogin(request, reply, email, nextPage);
      return reply;
    },
    safeNext: (page) => flow.safeNext(page),
  });
  await app.register(async (own) => {
    takeForms(own, flow);
    addCallback(own, flow, pathBelow(own.prefix, site.client.redirectUri));
    if (formPath !== undefined) own.post(formPath, login);
  });
}

// So that what it adds is the site's, and not that of a scope of its own; see `fastify-plugin`.
Object.assign(portier, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "portier-client",
  [Symbol.for("plugin-meta")]: { name: "portier-client", fastify: "5.x" },
});

export { portier as default };

type Flow = LoginFlow<FastifyRequest, FastifyReply>;

function takeForms(own: FastifyInstance, flow: Flow): void {
  own.removeAllContentTypeParsers();
  own.addContentTypeParser(
    FORM,
    { parseAs: "string", bodyLimit: MOST_OCTETS },
    (_request, body, done) => done(null, parseForm(String(body))),
  );
  // On some hosts of functions the body was read before Fastify saw the request.
  own.addHook("preParsing", async ({ raw }, _reply, payload) => {
    if (payload !== raw || !raw.readableDidRead) return payload;
    const form = new URLSearchParams(Object.entries(keptForm(raw)).flatMap(pairsOf)).toString();
    const kept = Readable.from([Buffer.from(form)]);
    const receivedEncodedLength = Number(raw.headers["content-length"] ?? form.length);
    return Object.assign(kept, { receivedEncodedLength });
  });
  const refusals: Partial<Record<number, Problem>> = { 413: TOO_LARGE, 415: NOT_A_FORM };
  own.setErrorHandler(async (error: FastifyError, request, reply) => {
    const problem = error.code?.startsWith("FST_ERR_CTP_") ? refusals[error.statusCode ?? 0] : undefined;
    if (problem === undefined) throw error;
    await flow.refuse(problem, request, reply);
    return reply;
  });
}

function pairsOf([name, value]: [string, unknown]): [string, string][] {
  return [value].flat().map((one) => [name, String(one)]);
}

function addCallback(own: FastifyInstance, flow: Flow, path: string): void {
  const steps = [
    { method: ["GET", "HEAD"], step: "visit", portierCallback: false },
    { method: ["POST"], step: "verify", portierCallback: true },
  ] as const;
  for (const { method, step, portierCallback } of steps) {
    own.route({
      method: [...method],
      // A colon would begin a parameter.
      url: decodeURI(path).replaceAll(":", "::"),
      config: { portierCallback },
      handler: async (request, reply) => {
        // The router of a site may be told not to mind case or slashes.
        const isExact = request.raw.url?.split("?", 1)[0] === own.prefix + path;
        if (!isExact) return reply.callNotFound();
        await flow[step](request, reply);
        return reply;
      },
    });
  }
}

/** The path of the redirect URI, for a route in a scope. */
function pathBelow(prefix: string, redirectUri: string): string {
  const { pathname } = new URL(redirectUri);
  if (prefix === "") return pathname;
  if (pathname.startsWith(`${prefix}/`)) return pathname.slice(prefix.length);
  throw invalidOption(`the redirect URI is not in the scope of the plugin prefix=${prefix}`);
}

const FRAMEWORK: Framework<FastifyRequest, FastifyReply> = {
  headers: (request) => request.headers,
  async form({ body }) {
    return typeof body === "object" && body !== null ? body : {};
  },
  prepare(reply, { status, headers }) {
    reply.code(status).headers(headers);
  },
  addCookie(reply, cookie) {
    // Of this header Fastify keeps what was there.
    reply.header("Set-Cookie", cookie);
  },
  send(reply, body) {
    reply.send(body === "" ? undefined : body);
  },
  async ask(reply, hook) {
    // A reply is a promise of its own end: a function that returned one, as `setCookie` does, would
    // wait for what comes after it.
    Object.defineProperty(reply, "then", { value: undefined, configurable: true });
    try {
      const { answered, result } = await ask(reply, ["send"], hook);
      return { answered: answered || reply.sent || reply.raw.headersSent, result };
    } finally {
      Reflect.deleteProperty(reply, "then");
    }
  },
  note(request, error, ours) {
    request.log[ours ? "warn" : "info"](`login failed: ${error.message} code=${error.code}`);
  },
};
