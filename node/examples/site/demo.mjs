// Serves an example with a development broker, in one process, until Ctrl-C.
import { createServer } from "node:http";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";

import { PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

/** Runs the site that `makeHandler` makes for a client and a secret. */
export async function demo(makeHandler) {
  const port = parsePort();
  const server = createServer();
  try {
    server.listen(port, "localhost");
    await once(server, "listening");
  } catch (error) {
    process.stderr.write(`demo: ${complaint(port, error)}\n`);
    process.exitCode = 1;
    return;
  }
  const broker = new DevBroker();
  const origin = `http://localhost:${server.address().port}`;
  const client = new PortierClient({ redirectUri: `${origin}/verify`, broker: broker.origin });
  server.on("request", await makeHandler(client, randomBytes(32).toString("base64url")));
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      server.close();
      server.closeAllConnections();
      client.destroy();
      broker.stop();
    });
  }
  console.log(`\n    Open ${origin}\n`);
  console.log("For development only: the broker asks for no proof. Ctrl-C stops it.");
}

function parsePort() {
  const { values } = parseArgs({ options: { port: { type: "string", default: "8888" } } });
  const port = Number(values.port);
  if (Number.isInteger(port) && port >= 0 && port <= 0xffff) return port;
  process.stderr.write(`demo: a port is a number from 0 to 65535 port=${values.port}\n`);
  process.exit(2);
}

function complaint(port, { code, message }) {
  if (code === "EADDRINUSE") {
    return `port ${port} is taken; choose another one, such as PORT=${port + 1}`;
  }
  return `port ${port} cannot be used: ${message}`;
}
