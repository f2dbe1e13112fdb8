// The login of the example on `node:http`, written with openid-client.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

import { form, openidClient, port, ready, signed, unsigned } from "./shared.mjs";

const client = await openidClient();

const pages = {
  "GET /"(request, response) {
    response.end(unsigned("session", request.headers.cookie)?.email);
  },
  "GET /login"(request, response) {
    response.setHeader("content-type", "text/html; charset=utf-8").end(form);
  },
  async "POST /login"(request, response) {
    const { url, kept } = await client.start(new URLSearchParams(await text(request)).get("email"));
    seeOther(response, url, signed("login", kept));
  },
  async "GET /verify"(request, response) {
    const email = await client.email(request.url, unsigned("login", request.headers.cookie));
    seeOther(response, "/", signed("session", { email }));
  },
};

function seeOther(response, location, cookie) {
  response.writeHead(303, { location, "set-cookie": cookie, "content-length": 0 }).end();
}

createServer((request, response) => {
  const [path] = request.url.split("?");
  pages[`${request.method} ${path}`]?.(request, response);
}).listen(port, "localhost", ready);
