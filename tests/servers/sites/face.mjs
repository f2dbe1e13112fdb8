// An example site with one secret and no store, in two processes of `node:cluster` or of PM2.
// Each response names its process. `POST /` returns the process only.
//
// FACE=express SECRET=… BROKER=… FLOW=… PORT=… PORTS=… node face.mjs
import cluster from "node:cluster";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const folder = path.resolve(import.meta.dirname, "../../../node");
const { PortierClient } = createRequire(path.join(folder, "package.json"))("portier-client");
const { FACE, SECRET: secret, BROKER: broker, FLOW: flow, PORT, PORTS } = process.env;

// PM2 is the parent of its processes.
if (cluster.isPrimary && process.env.pm_id === undefined) {
  cluster.fork();
  cluster.fork();
} else {
  await serve();
}

async function serve() {
  const { makeApp } = await example(`${FACE}/app`);
  const { listenerOf } = await example("shared/listener");
  const redirectUri = `http://localhost:${PORT}/verify`;
  const site = await listenerOf(await makeApp(...given(redirectUri)));
  const server = createServer((request, response) => {
    response.setHeader("x-worker", process.pid);
    if (request.method === "POST" && request.url === "/") response.end(`${process.pid} `);
    else site(request, response);
  });
  // The tests keep a connection to each process.
  server.keepAliveTimeout = 0;
  server.listen(Number(PORTS), "127.0.0.1");
}

/** The arguments of the example. Its `secret` signs or seals its sessions, and the option seals logins. */
function given(redirectUri) {
  // A strategy of Passport has no sessions, so the client gets the secret.
  if (FACE === "passport") return [new PortierClient({ redirectUri, broker, secret }), secret, { flow }];
  // The example on Fastify signs out itself.
  const more = FACE === "fastify" ? { logoutPath: null } : {};
  return [new PortierClient({ redirectUri, broker }), secret, { flow, secret, ...more }];
}

function example(name) {
  return import(pathToFileURL(path.join(folder, "examples", `${name}.mjs`)).href);
}
