// Serves an example site with a development broker, in one process, until Ctrl-C.
//
//   node demo.mjs --site express --port 8888
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

import PortierClient from "portier-client";
import { DevBroker } from "portier-client/testing";

import { listenerOf } from "./shared/listener.mjs";

const SITES = ["fastify", "express", "hono", "koa", "nest", "node", "passport", "web"];
const USAGE = `usage: demo.mjs [--site ${SITES.join("|")}] [--port PORT]`;

process.exitCode = await main(process.argv.slice(2));

/** Returns the exit status: 0 if it was stopped, 1 if it could not start. */
async function main(args) {
  const { site, port, wrong } = readArguments(args);
  if (wrong) return complain(`${wrong}\n${USAGE}`, 2);
  let servers;
  try {
    servers = await listen(port);
  } catch (error) {
    return complain(explain(port, error), 1);
  }
  const broker = new DevBroker();
  try {
    await serve(site, servers, broker);
  } finally {
    broker.stop();
  }
  return 0;
}

function readArguments(args) {
  let values;
  try {
    const options = { site: { type: "string" }, port: { type: "string" } };
    ({ values } = parseArgs({ args, options }));
  } catch (error) {
    return { wrong: error.message };
  }
  const { site = "fastify", port = "8888" } = values;
  if (!SITES.includes(site)) return { wrong: `there is no such site site=${site}` };
  if (!/^\d{1,5}$/.test(port) || Number(port) > 0xffff) {
    return { wrong: `a port is a number from 0 to 65535 port=${port}` };
  }
  return { site, port: Number(port) };
}

/** Listens on both addresses of `localhost`; otherwise a browser could reach another server on one of them. */
async function listen(port) {
  const servers = [await listenOn("127.0.0.1", port)];
  try {
    servers.push(await listenOn("::1", servers[0].address().port));
  } catch (error) {
    // The machine may have no IPv6.
    if (!["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(error.code)) {
      stop(servers);
      throw error;
    }
  }
  return servers;
}

async function listenOn(host, port) {
  const server = createServer().listen(port, host);
  await once(server, "listening");
  return server;
}

async function serve(site, servers, broker) {
  const origin = `http://localhost:${servers[0].address().port}`;
  const client = new PortierClient({ redirectUri: `${origin}/verify`, broker: broker.origin });
  const { makeApp } = await import(`./${site}/app.mjs`);
  const handler = await listenerOf(await makeApp(client, randomBytes(32).toString("base64url")));
  for (const server of servers) server.on("request", handler);
  const stopped = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, resolve);
  });
  console.log(`\n    Open ${origin}\n`);
  console.log("For development only: the broker asks for no proof. Ctrl-C stops it.");
  await stopped;
  stop(servers);
  client.destroy();
}

function stop(servers) {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
}

function explain(port, error) {
  if (error.code === "EADDRINUSE") {
    return `port ${port} is taken; choose another one, such as PORT=${port + 1}`;
  }
  return `port ${port} cannot be used: ${error.message}`;
}

function complain(text, status) {
  process.stderr.write(`demo: ${text}\n`);
  return status;
}
