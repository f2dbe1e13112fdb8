// The example sites with a development broker.
import { once } from "node:events";
import { createServer } from "node:http";

import { PortierClient } from "portier-client";

import { makeApp as makeExpress } from "../../examples/express/app.mjs";
import { makeApp as makeFastify } from "../../examples/fastify/app.mjs";

/** What makes the handler of requests, by the name of the example. */
export const EXAMPLES = {
  express: makeExpress,
  fastify: async (client, secret) => {
    const app = await makeFastify(client, secret);
    await app.ready();
    return app.routing;
  },
};

/** Serves an example; gives its origin and a function that stops it. */
export async function serve(make, options) {
  const server = createServer().listen(0, "localhost");
  await once(server, "listening");
  const origin = `http://localhost:${server.address().port}`;
  const client = new PortierClient({ redirectUri: `${origin}/verify`, ...options });
  server.on("request", await make(client, "a secret".repeat(4)));
  const stop = () => {
    server.closeAllConnections();
    server.close();
    client.destroy();
  };
  return { origin, stop };
}
