// A small site as a handler of `fetch`, with a page for members, who log in with their e-mail address.
//
// `demo.mjs`, one level up, serves it together with a development broker, which sends no mail.
import { fileURLToPath } from "node:url";

import { serve } from "@hono/node-server";
import { portier } from "portier-client/web";

import { fromEnvironment } from "../shared/environment.mjs";
import { commonHeaders, FILES } from "../shared/http.mjs";
import { indexPage, loginPage, membersPage, problemPage } from "../shared/pages.mjs";
import { blame, NOT_FOUND } from "../shared/problems.mjs";
import { hooksOf } from "../shared/sealed.mjs";

const framework = "fetch";

/** Makes the site; `client` knows the broker, `secret` seals the sessions. */
export function makeApp(client, secret, login = {}) {
  const view = async (request) => ({ framework, email: (await session(request))?.email });
  const { handle, requireLogin, safeNext, session } = portier({
    client,
    secret,
    ...login,
    loginUrl: "/login",
    ...hooksOf(view),
  });

  async function page(request) {
    const { pathname, searchParams } = new URL(request.url);
    const next = searchParams.get("next") ?? "";
    const file = FILES.find(({ path }) => path === pathname);
    if (file !== undefined) return new Response(file.body, { headers: { "content-type": file.type } });
    const visitor = await view(request);
    switch (["GET", "HEAD"].includes(request.method) && pathname) {
      case "/":
        return html(200, indexPage(visitor));
      case "/login":
        if (visitor.email === undefined) return html(200, loginPage(visitor, { next }));
        return new Response(null, { status: 303, headers: { location: safeNext(next) ?? "/" } });
      case "/members": {
        const session = await requireLogin(request);
        return session instanceof Response ? session : html(200, membersPage(visitor));
      }
      default:
        return html(NOT_FOUND.status, problemPage(visitor, NOT_FOUND));
    }
  }

  return {
    async fetch(request) {
      let response;
      try {
        response = await handle(request, () => page(request));
      } catch (error) {
        console.error(error);
        const problem = blame(error);
        response = html(problem.status, problemPage({ framework }, problem));
      }
      for (const [name, value] of Object.entries(commonHeaders(client))) {
        if (!response.headers.has(name)) response.headers.set(name, value);
      }
      return response;
    },
  };
}

function html(status, page) {
  return new Response(page, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}

/** Serves the site with the public broker, which sends real mails, or as the environment says. */
function main() {
  const { client, cookieSecret, port, login } = fromEnvironment();
  const { fetch } = makeApp(client, cookieSecret, login);
  serve({ fetch, port, hostname: "localhost" }, () => console.log(`Open http://localhost:${port}`));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
