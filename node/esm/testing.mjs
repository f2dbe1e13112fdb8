// As `index.mjs`: names for `import`, and nothing else.
export { CannedTransport, DevBroker, ManualClock, cannedClient } from "./testing.js";
