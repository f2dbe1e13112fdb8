#!/usr/bin/env node
// The adapter of the npm package for client testers: reads commands, writes answers. The protocol is in
// `docs/conformance.md`.
import { createInterface } from "node:readline";

import { BrokerError, PortierClient, PortierError } from "../../../node/dist/index.mjs";

const REDIRECT_URI = "http://imaginary-client.test/fake-verify-route";

const [, , broker] = process.argv;
if (broker === undefined) leave("the broker's origin is missing");
const client = new PortierClient({ broker, ...settings() });

// Each command starts when it is read; the answers come in the order of the commands.
let answered = Promise.resolve();
createInterface({ input: process.stdin, terminal: false }).on("line", (line) => {
  const started = answer(line.split("\t"));
  answered = answered.then(async () => process.stdout.write(`${await started}\n`));
});

/** The options of the client under test, from the environment. */
function settings() {
  const { CONFORMANCE_FLOW, CONFORMANCE_REDIRECT_URI, CONFORMANCE_SESSION_TTL, CONFORMANCE_ALGORITHMS } = process.env;
  return {
    flow: CONFORMANCE_FLOW,
    redirectUri: CONFORMANCE_REDIRECT_URI ?? REDIRECT_URI,
    sessionTtlMs: CONFORMANCE_SESSION_TTL && Number(CONFORMANCE_SESSION_TTL) * 1000,
    algorithms: CONFORMANCE_ALGORITHMS?.split(","),
  };
}

/** The line that answers a command. */
async function answer(fields) {
  try {
    return `ok\t${await value(fields)}`;
  } catch (error) {
    if (!(error instanceof PortierError)) throw error;
    return `err\t${description(error)}`;
  }
}

/** The result of a command. */
async function value([command, text, state]) {
  switch (command) {
    case "echo":
      return text;
    case "mark":
      process.stderr.write(`${text}\n`);
      return text;
    case "auth":
      return client.authenticate(text, { state });
    case "verify":
      return client.verify(text);
    case "complete": {
      const login = await client.complete(new URLSearchParams(text));
      return [login.email, login.emailOriginal, login.state ?? ""].join("\t");
    }
    default:
      return leave("no such command");
  }
}

/** The error in one line, also if the broker's text has several. */
function description(error) {
  let text = `${error.code}: ${error.message}`;
  if (error instanceof BrokerError && error.error !== null) {
    text += ` error=${error.error} description=${error.errorDescription ?? ""}`;
  }
  return text.replace(/\p{Cc}/gu, " ");
}

function leave(reason) {
  console.error(`conformance: ${reason}`);
  process.exit(1);
}
