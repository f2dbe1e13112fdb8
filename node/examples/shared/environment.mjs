// Settings of a site from the environment: PORT, BROKER, STORE, FLOW, RESPONSE_MODE, ALGORITHMS,
// BROWSER_BINDING, COOKIE_SECRET.
import { randomBytes } from "node:crypto";

import PortierClient from "portier-client";

/** The client, the secret of the cookies, the port, and how to log in; by default with the public broker. */
export function fromEnvironment({ env } = process) {
  const port = Number(env.PORT ?? 8888);
  const client = new PortierClient({
    redirectUri: `http://localhost:${port}/verify`,
    broker: env.BROKER,
    store: env.STORE,
    responseMode: env.RESPONSE_MODE,
    algorithms: env.ALGORITHMS?.split(","),
  });
  const cookieSecret = env.COOKIE_SECRET ?? randomBytes(32).toString("base64url");
  return { client, cookieSecret, port, login: { browserBinding: env.BROWSER_BINDING, flow: env.FLOW } };
}
