// `portier-client/node`: a login on `node:http`, and on frameworks that extend it.
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";

import connect from "connect";
import polka from "polka";
import PortierClient from "portier-client";
import { portier } from "portier-client/node";
import { DevBroker } from "portier-client/testing";

import { serveSite } from "./plain.mjs";
import { Visitor } from "./visitor.mjs";

const SECRET = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";

const broker = new DevBroker();
after(() => broker.stop());

const page = (visitor, site, path) => visitor.get(site.origin + path, { follow: false });
const namesOf = ({ headers }) => [headers["set-cookie"] ?? []].flat().map((cookie) => cookie.split("=")[0]);

/** The pages of a site. */
async function members({ requireLogin }, request, response) {
  const visitor = await requireLogin(request, response);
  if (visitor !== null) response.end(`You are ${visitor.email}.`);
}

const SITES = {
  "node:http": (auth) => async (request, response) => {
    if (!(await auth.handle(request, response))) await members(auth, request, response);
  },
  "Connect": (auth) => connect().use(auth.middleware).use((request, response, next) => void members(auth, request, response).catch(next)),
  "Connect, below a path": (auth) =>
    connect()
      .use("/login", auth.middleware)
      .use("/verify", auth.middleware)
      .use("/logout", auth.middleware)
      .use((request, response, next) => void members(auth, request, response).catch(next)),
  "Polka": (auth) => {
    const app = polka();
    app.use(auth.middleware);
    app.get("/members", (request, response) => members(auth, request, response));
    return app.handler;
  },
};
for (const [name, makeApp] of Object.entries(SITES)) {
  test(`a login, a page for members, and a logout: ${name}`, async (t) => {
    for (const flow of ["code", "implicit"]) {
      const site = await serveSite(t, broker, ({ client }) => makeApp(portier({ client, flow, secret: SECRET, loginUrl: "/login" })));
      const visitor = new Visitor();
      const turned = await page(visitor, site, "/members?page=2");
      assert.deepEqual([turned.status, turned.headers.location], [303, "/login?next=%2Fmembers%3Fpage%3D2"]);
      const done = await site.logIn({ next: "/members?page=2" }, visitor);
      assert.deepEqual([done.status, done.headers.location], [303, "/members?page=2"], flow);
      assert.deepEqual(namesOf(done).toSorted(), ["portier-session", "portier-signed-in"]);
      assert.equal((await page(visitor, site, "/members")).text, "You are alice@example.com.");
      const out = await visitor.post(`${site.origin}/logout`, {}, { follow: false, origin: site.origin });
      assert.deepEqual([out.status, out.headers.location], [303, "/login"]);
      assert.equal((await page(visitor, site, "/members")).status, 303);
    }
  });
}

test("a request of the site is left as it is", async (t) => {
  const site = await serveSite(t, broker, ({ client }) => {
    const { handle } = portier({ client, secret: SECRET });
    return async (request, response) => {
      const before = [request.readableDidRead, response.getHeaderNames(), response.statusCode];
      assert.equal(await handle(request, response), false);
      assert.deepEqual([request.readableDidRead, response.getHeaderNames(), response.statusCode], before);
      response.end(await text(request));
    };
  });
  const visitor = new Visitor();
  const { text: echoed } = await visitor.post(`${site.origin}/guestbook`, { a: "1" }, { origin: site.origin });
  assert.equal(echoed, "a=1");
  assert.equal((await page(visitor, site, "/login")).status, 200);
});

test("a query completes a login without a stream of the request", async (t) => {
  const read = [];
  const site = await serveSite(t, broker, ({ client }) => {
    const { handle } = portier({ client, secret: SECRET });
    return async (request, response) => {
      await handle(request, response);
      read.push([request.method, request.readableFlowing !== null]);
    };
  });
  assert.equal((await site.logIn()).status, 303);
  assert.deepEqual(read, [["POST", true], ["GET", false]]);
});

test("an exception of a hook goes to the framework", async (t) => {
  const onLogin = () => {
    throw new Error("the site has failed");
  };
  const site = await serveSite(t, broker, ({ client }) =>
    connect()
      .use(portier({ client, onLogin, secret: SECRET }).middleware)
      // Connect recognizes an error handler by its four parameters.
      .use((error, request, response, next) => {
        assert.equal(typeof next, "function");
        response.statusCode = 500;
        response.end(error.message);
      }),
  );
  const done = await site.logIn();
  assert.deepEqual([done.status, done.text, namesOf(done)], [500, "the site has failed", []]);
});

test("a hook can read the form", async (t) => {
  const showProblem = ({ id }, request) => `${id} ${request.body.email}`;
  const site = await serveSite(t, broker, ({ client }) => portier({ client, secret: SECRET, showProblem }).handle);
  const refused = await site.start(new Visitor(), { email: "nobody" });
  assert.deepEqual([refused.status, refused.text], [400, "invalid_email nobody"]);
});

test("a login over HTTP/2", async (t) => {
  const server = http2.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://localhost:${server.address().port}`;
  const client = new PortierClient({ redirectUri: `${origin}/verify`, broker: broker.origin });
  const auth = portier({ client, secret: SECRET });
  server.on("request", async (request, response) => {
    if (!(await auth.handle(request, response))) await members(auth, request, response);
  });
  const connection = http2.connect(`http://127.0.0.1:${server.address().port}`);
  t.after(() => {
    connection.close();
    server.close();
  });
  const jar = new Map();
  const send = async (method, path, body) => {
    const type = body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" };
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`);
    const stream = connection.request({ ":method": method, ":path": path, "sec-fetch-site": "same-origin", cookie, ...type });
    const [headers] = await once(stream.end(body), "response");
    for (const line of headers["set-cookie"] ?? []) jar.set(...line.split(";")[0].split("="));
    return { status: headers[":status"], location: headers.location, text: await text(stream) };
  };
  const started = await send("POST", "/login", "email=alice%40example.com&next=/members");
  assert.equal(started.status, 303);
  const done = await send("GET", `/verify?${new URLSearchParams(broker.signIn(started.location))}`);
  assert.deepEqual([done.status, done.location], [303, "/members"]);
  assert.equal((await send("GET", "/members")).text, "You are alice@example.com.");
  assert.equal((await send("POST", "/login", "email=nobody")).status, 400);
});
