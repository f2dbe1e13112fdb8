import type { FastifyReply } from "fastify";

import type { Face } from "./hooks.js";
import { ResponseTracker } from "./response-tracker.js";

/** How replies of Fastify are sent. */
export const FASTIFY: Face<FastifyReply> = {
  prepare(reply, status, headers) {
    reply.code(status);
    for (const [name, value] of headers) reply.header(name, value);
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
    // After a hook that refused the login, others run.
    failedReplies.delete(reply);
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
