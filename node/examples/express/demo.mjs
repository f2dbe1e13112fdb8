// Serves the example with a development broker: node demo.mjs --port 8888
import { demo } from "../site/demo.mjs";
import { makeApp } from "./app.mjs";

await demo(makeApp);
