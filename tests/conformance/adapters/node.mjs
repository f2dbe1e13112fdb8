#!/usr/bin/env node
// Lets a client tester drive the npm package: lines of commands in, lines of answers out. The
// protocol is in `docs/conformance.md`.
import { createInterface } from "node:readline";

import { BrokerError, PortierClient, PortierError } from "../../../node/dist/index.mjs";

const REDIRECT_URI = "http://imaginary-client.test/fake-verify-route";

const [, , broker] = process.argv;
if (broker === undefined) leave("the broker's origin is missing");
const client = new PortierClient({ broker, ...settings() });

// Commands start as they come and are answered in that order.
let answered = Promise.resolve();
createInterface({ input: process.stdin, terminal: false }).on("line", (line) => {
  const started = answer(line.split("\t"));
  answered = answered.then(async () => process.stdout.write(`${await started}\n`));
});

/** The options of the client under test, as the environment says. */
function settings() {
  const { CONFORMANCE_REDIRECT_URI, CONFORMANCE_SESSION_TTL, CONFORMANCE_ALGORITHMS } = process.env;
  return {
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

/** What a command gives. */
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

/** The error in one line, whatever the broker said. */
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
