// As `index.mjs`: names for `import`, and nothing else.
export { MockTransport, DevBroker, ManualClock, mockClient, checkStore } from "./testing.js";
