// What the environment says of a site: PORT, BROKER, STORE, RESPONSE_MODE, ALGORITHMS, COOKIE_SECRET.
import { randomBytes } from "node:crypto";

import PortierClient from "portier-client";

/** The client, the secret of the cookies, and the port; by default with the public broker. */
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
  return { client, cookieSecret, port };
}
