// As `index.mjs`: names for `import`, and nothing else.
export { CannedTransport, DevBroker, ManualClock, cannedClient, checkStore } from "./testing.js";
