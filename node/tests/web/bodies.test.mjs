// Requests whose body was read before, and requests that end too early.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";

import { ConfigError } from "portier-client";

import { eachKind } from "./plain.mjs";
import { Visitor } from "./visitor.mjs";

const FORM = "application/x-www-form-urlencoded";
// The implicit flow, in which the broker's answer is a form as well.
const IMPLICIT = { flow: "implicit" };

/** Reads the body of each form, and keeps it in the given place. */
const reader = (keep) => (app) => {
  const read = async (request) => {
    if (request.headers["content-type"] !== FORM) return;
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    keep(request, Buffer.concat(chunks));
  };
  if ("addHook" in app) app.addHook("onRequest", ({ raw }) => read(raw));
  else app.use((request, _response, next) => read(request).then(() => next(), next));
};

const KEPT = {
  "text in request.body": (request, body) => (request.body = String(body)),
  "a buffer in request.body": (request, body) => (request.body = body),
  "bytes in request.body": (request, body) => (request.body = new Uint8Array(body)),
  "an object in request.body": (request, body) => (request.body = Object.fromEntries(new URLSearchParams(String(body)))),
  "a buffer in request.rawBody": (request, body) => (request.rawBody = body),
  "text in request.rawBody beside an empty object": (request, body) =>
    Object.assign(request, { body: {}, rawBody: String(body) }),
};

eachKind((here) => {
  for (const [where, keep] of Object.entries(KEPT)) {
    test(`a body that was read before is taken from where it was kept: ${where}`, async (t) => {
      const site = await here.serve(t, IMPLICIT, { first: reader(keep) });
      assert.equal((await site.logIn()).status, 303);
    });
  }

  for (const [what, left] of [["nothing", undefined], ["an empty object", {}]]) {
    test(`a body that was read and discarded before is an error of the site: ${what}`, async (t) => {
      const errors = [];
      const onLoginError = (error) => void errors.push(error);
      const site = await here.serve(t, { onLoginError }, { first: reader((request) => (request.body = left)) });
      assert.equal((await new Visitor().post(site.verify, { id_token: "a.b.c" })).status, 500);
      assert.ok(errors[0] instanceof ConfigError);
      assert.match(errors[0].message, /^the body of the request was read before portier-client /);
    });
  }

  test("a form that is cut off has the status 400", async (t) => {
    const site = await here.serve(t);
    const { hostname, port, pathname } = new URL(site.verify);
    const socket = connect(port, hostname);
    await once(socket, "connect");
    socket.write(`POST ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: ${FORM}\r\ncontent-length: 99\r\n\r\nid_token=`);
    setImmediate(() => socket.destroy());
    // Fastify does not report this error.
    for (let turn = 0; site.errors.length === 0 && !here.kind.startsWith("fastify"); turn++) {
      assert.ok(turn < 100_000, "no error within the limit");
      await new Promise(setImmediate);
    }
    for (const { statusCode } of site.errors) assert.equal(statusCode, 400);
    assert.equal((await site.logIn()).status, 303);
  });
});
