// What the workers of `workers.test.mjs` do.
import { parentPort, workerData } from "node:worker_threads";

import { PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

const { task, origin, email } = workerData;
const newClient = (broker) => new PortierClient({ redirectUri: "https://example.com/verify", broker });

if (task === "log in") {
  const broker = new DevBroker();
  const client = newClient(broker.origin);
  const url = await client.authenticate(email);
  parentPort.postMessage(await client.verify(broker.mint({ url })));
  broker.stop();
} else {
  parentPort.postMessage("busy");
  for (;;) {
    const client = newClient(origin);
    for (let call = 0; call < 20; call++) client.warm().catch(() => {});
    await new Promise(setImmediate);
  }
}
