// As `index.mjs`: names for `import`, and nothing else.
import testing from "./testing.js";

export const { CannedTransport, DevBroker, ManualClock, cannedClient } = testing;
