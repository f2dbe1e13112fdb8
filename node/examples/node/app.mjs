// A small site on `node:http` with a page for members, who log in with their e-mail address.
//
// `demo.mjs`, one level up, serves it together with a development broker, which sends no mail.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

import { portier } from "portier-client/node";

import { fromEnvironment } from "../shared/environment.mjs";
import { commonHeaders, FILES } from "../shared/http.mjs";
import { indexPage, loginPage, membersPage, problemPage } from "../shared/pages.mjs";
import { blame, NOT_FOUND } from "../shared/problems.mjs";
import { hooksOf } from "../shared/sealed.mjs";

const framework = "node:http";

/** Makes the request listener; `client` knows the broker, `secret` seals the sessions. */
export function makeApp(client, secret, login = {}) {
  const view = async (request, response) => ({ framework, email: (await session(request, response))?.email });
  const { handle, requireLogin, safeNext, session } = portier({
    client,
    secret,
    ...login,
    loginUrl: "/login",
    ...hooksOf(view),
  });

  async function page(request, response) {
    const { pathname, searchParams } = new URL(request.url, client.redirectUri);
    const next = searchParams.get("next") ?? "";
    const file = FILES.find(({ path }) => path === pathname);
    if (file !== undefined) return send(response, 200, file.body, file.type);
    const visitor = await view(request, response);
    switch (["GET", "HEAD"].includes(request.method) && pathname) {
      case "/":
        return send(response, 200, indexPage(visitor));
      case "/login":
        if (visitor.email === undefined) return send(response, 200, loginPage(visitor, { next }));
        return response.writeHead(303, { location: safeNext(next) ?? "/" }).end();
      case "/members":
        if ((await requireLogin(request, response)) !== null) send(response, 200, membersPage(visitor));
        return;
      default:
        send(response, NOT_FOUND.status, problemPage(visitor, NOT_FOUND));
    }
  }

  return async (request, response) => {
    for (const [name, value] of Object.entries(commonHeaders(client))) response.setHeader(name, value);
    try {
      if (!(await handle(request, response))) await page(request, response);
    } catch (error) {
      const problem = blame(error);
      if (problem.status >= 500) console.error(error);
      if (!response.headersSent) send(response, problem.status, problemPage({ framework }, problem));
    }
  };
}

function send(response, status, body, type = "text/html; charset=utf-8") {
  response.statusCode = status;
  response.setHeader("content-type", type);
  response.end(body);
}

/** Serves the site with the public broker, which sends real mails, or as the environment says. */
function main() {
  const { client, cookieSecret, port, login } = fromEnvironment();
  const ready = () => console.log(`Open http://localhost:${port}`);
  createServer(makeApp(client, cookieSecret, login)).listen(port, "localhost", ready);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
