// A site on `node:http`, for the cases of all integrations.
import { require, serve } from "./control.mjs";

const { portier } = require("portier-client/node");

await serve(
  (options, site) => {
    const { handle, requireLogin, session, startLogin } = portier({ ...options, healthPath: "/healthz" });
    const pages = {
      "/start": (request, response) => startLogin(request, response, site.start.email, site.start.next),
      "/members": async (request, response) => {
        if ((await requireLogin(request, response)) !== null) response.end("for members");
      },
      "/session": async (request, response) => {
        const { email = null } = (await session(request, response)) ?? {};
        response.end(JSON.stringify({ email }));
      },
    };
    const nowhere = (request, response) => respond(404, "nowhere", request, response);
    return async (request, response) => {
      if (site.setsCookies) response.appendHeader("set-cookie", "seen=1; Path=/");
      try {
        if (await handle(request, response)) return;
        const [path] = request.url.split("?");
        await (pages[path] ?? nowhere)(request, response);
      } catch {
        if (!response.headersSent) respond(500, "a page of the site", request, response);
      }
    };
  },
  { hooks: { respond, setCookie: (cookie, request, response) => response.appendHeader("set-cookie", cookie) } },
);

function respond(status, text, request, response) {
  response.statusCode = status;
  response.end(text);
}
