// A login server, for processes and for threads.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { text } from "node:stream/consumers";
import { threadId } from "node:worker_threads";

const require = createRequire(path.resolve(import.meta.dirname, "../../../node/package.json"));
const { PortierClient } = require("portier-client");

export function serveLogins(port) {
  const { BROKER: broker, STORE: store } = process.env;
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker, store });
  const answers = {
    "/": () => "",
    "/start": () => client.authenticate("alice@example.com"),
    "/verify": (form) => client.verify(form.get("id_token")).catch((error) => error.code),
  };
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    response.end(`${process.pid}.${threadId} ${await answers[request.url](form)}`);
  });
  server.listen(Number(port), "127.0.0.1");
}
