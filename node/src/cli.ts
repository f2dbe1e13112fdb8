#!/usr/bin/env node
import { parseArgs } from "node:util";

import { main as examine } from "./doctor.js";
import { PortierError } from "./errors.js";
import { version } from "./native.js";
import { DevBroker, type DevBrokerOptions } from "./testing/broker.js";

const USAGE = `usage: portier-client broker [--port PORT] [--origin ORIGIN] [--host HOST] [--auto]
       portier-client doctor [OPTION]... (see doctor --help)

The broker runs on this machine, for development only: it asks for no proof.
The doctor finds out why logins fail.

  --port PORT      the port to listen on; 0 takes any (3333)
  --origin ORIGIN  the origin by which browsers and sites reach it (http://HOST:PORT)
  --host HOST      the IP address to listen on (127.0.0.1); with another than a loopback
                   address, other machines can sign in as anyone
  --auto           sign in at once, without a page
  --version        print the version
`;

const given = process.argv.slice(2);
if (given[0] === "doctor") {
  void examine(given.slice(1)).then((status) => (process.exitCode = status));
} else {
  process.exitCode = main(given);
}

function main(args: string[]): number {
  let parsed;
  try {
    parsed = parse(args);
  } catch (error) {
    process.stderr.write(`portier-client: ${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.version) return print(`portier-client ${version}\n`);
  if (values.help) return print(USAGE);
  if (positionals.join(" ") !== "broker") {
    process.stderr.write(USAGE);
    return 2;
  }
  const { host, origin, auto } = values;
  return serve({ host, origin, port: Number(values.port), mode: auto ? "accept" : "page" });
}

function parse(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      port: { type: "string", default: "3333" },
      origin: { type: "string" },
      host: { type: "string", default: "127.0.0.1" },
      auto: { type: "boolean", default: false },
      help: { type: "boolean", default: false, short: "h" },
      version: { type: "boolean", default: false },
    },
  });
}

function serve(options: DevBrokerOptions): number {
  let broker: DevBroker;
  try {
    broker = new DevBroker(options);
  } catch (error) {
    if (!(error instanceof PortierError)) throw error;
    process.stderr.write(`broker: ${error.message}\n`);
    return 1;
  }
  // The thread of the broker does not keep Node running; a timer does.
  const running = setInterval(() => {}, 2 ** 30);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      clearInterval(running);
      broker.stop();
    });
  }
  return print(`${broker.banner}\nCtrl-C stops it.\n`);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
