// As `index.mjs`: names for `import`, and nothing else.
export { MockTransport, DevBroker, ManualClock, mockClient, checkStore } from "./testing.js";
export { brokerDown, cancelled, expired, login, otherBrowser, refused, replayed, rotatedKeys, wrongAddress } from "./testing.js";
export { freezeTime, FrozenClock, LoginFailed, TestResponse, TestSession } from "./testing.js";
