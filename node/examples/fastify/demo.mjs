// Serves the example with a development broker: node demo.mjs --port 8888
import { demo } from "../site/demo.mjs";
import { makeApp } from "./app.mjs";

await demo(async (client, secret) => {
  const app = await makeApp(client, secret);
  await app.ready();
  return app.routing;
});
