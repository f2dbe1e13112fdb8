// The login of the example that is a handler of `fetch`, written with openid-client.
import { form, openidClient, port, ready, require, signed, unsigned } from "./shared.mjs";

const { serve } = require("@hono/node-server");

const client = await openidClient();

const pages = {
  "GET /": (request) => new Response(unsigned("session", request.headers.get("cookie") ?? "")?.email),
  "GET /login": () => new Response(form, { headers: { "content-type": "text/html; charset=utf-8" } }),
  async "POST /login"(request) {
    const fields = await request.formData();
    const { url, kept } = await client.start(fields.get("email"));
    return seeOther(url, signed("login", kept));
  },
  async "GET /verify"(request) {
    const email = await client.email(request.url, unsigned("login", request.headers.get("cookie") ?? ""));
    return seeOther("/", signed("session", { email }));
  },
};

function seeOther(location, cookie) {
  return new Response(null, { status: 303, headers: { location, "set-cookie": cookie } });
}

function fetch(request) {
  return pages[`${request.method} ${new URL(request.url).pathname}`](request);
}

serve({ fetch, port, hostname: "localhost" }, ready);
