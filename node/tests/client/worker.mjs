// The program of the workers in `workers.test.mjs`.
import { parentPort, workerData } from "node:worker_threads";

import { LoginFlow, PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

const { task, origin, email } = workerData;
const newClient = (broker) => new PortierClient({ redirectUri: "https://example.com/verify", broker });

if (task === "log in") {
  const broker = new DevBroker();
  const client = newClient(broker.origin);
  const url = await client.authenticate(email);
  parentPort.postMessage(await client.verify(broker.mint({ url })));
  broker.stop();
} else if (task === "log in by code") {
  const broker = new DevBroker();
  const flow = new LoginFlow(newClient(broker.origin), { flow: "code" });
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const { reply } = await flow.login({ method: "POST", headers: form, body: { email } });
  const query = String(new URLSearchParams(broker.signIn(new Map(reply.headers).get("location"))));
  const cookie = reply.cookies[0].split(";")[0];
  const { login } = await flow.callback({ method: "GET", headers: { cookie }, query });
  parentPort.postMessage(login.email);
  broker.stop();
} else if (task === "wait") {
  const never = () => new Promise(() => {});
  const redirectUri = "https://example.com/verify";
  const stuck = new PortierClient({ redirectUri, broker: origin, store: { put: never, take: never } });
  const { signal } = new AbortController();
  for (const client of [newClient(origin), stuck]) {
    for (let call = 0; call < 20; call++) client.authenticate("alice@example.com", { signal }).catch(() => {});
  }
  parentPort.once("message", () => process.exit());
  parentPort.postMessage("waiting");
} else {
  parentPort.postMessage("busy");
  for (;;) {
    const client = newClient(origin);
    for (let call = 0; call < 20; call++) client.warm().catch(() => {});
    // Busy, but other code gets to run as well.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
