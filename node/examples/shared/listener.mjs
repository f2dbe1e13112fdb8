// A request listener of `node:http` for a site on any framework.
import { getRequestListener } from "@hono/node-server";

/** Returns the listener: an Express site or one on `node:http` itself, the router of a Fastify site, and so on. */
export async function listenerOf(app) {
  if (typeof app === "function") return app;
  if ("fetch" in app) return getRequestListener(app.fetch);
  if ("callback" in app) return app.callback();
  await app.ready();
  return app.routing;
}
