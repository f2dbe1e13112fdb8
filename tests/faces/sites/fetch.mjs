// A site of handlers of `fetch`, for the cases of all integrations: on Node, Bun or Deno.
import { listenForFetch, require, RETURNS, serve } from "./control.mjs";

const { portier } = require("portier-client/web");

await serve(
  (options, site) => {
    const { handle, requireLogin, session, startLogin } = portier({ ...options, healthPath: "/healthz" });
    const page = async (request) => {
      switch (new URL(request.url).pathname) {
        case "/start":
          return startLogin(request, site.start.email, site.start.next);
        case "/members": {
          const visitor = await requireLogin(request);
          return visitor instanceof Response ? visitor : new Response("for members");
        }
        case "/session": {
          const { email = null } = (await session(request)) ?? {};
          return Response.json({ email });
        }
        default:
          return new Response("nowhere", { status: 404 });
      }
    };
    return async (request) => {
      try {
        const response = await handle(request, () => page(request));
        if (site.setsCookies) response.headers.append("set-cookie", "seen=1; Path=/");
        return response;
      } catch {
        return new Response("a page of the site", { status: 500 });
      }
    };
  },
  { hooks: RETURNS, listen: listenForFetch },
);
