import type { IncomingMessage } from "node:http";

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { bodyLeftBy, parsedForm, readBody } from "../body.js";
import type { NativeBody } from "../native.js";
import { queryOf, TakenRequest } from "../web-request.js";

/** A request and its body, whoever has read that. */
export function taken(request: FastifyRequest): TakenRequest {
  const { method, headers } = request;
  return new TakenRequest(method, headers, queryOf(request), bodies.get(request) ?? bodyLeftBy(request));
}

/** The bodies that were read here. */
const bodies = new WeakMap<FastifyRequest, NativeBody>();

/** Reads forms in place of the parsers of the site. A request with an invalid content type gets a problem. */
export function takeBodies(own: FastifyInstance, sendProblem: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>): void {
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
