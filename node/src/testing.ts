/**
 * For tests and development. Nothing here is for production.
 *
 * @packageDocumentation
 */

export { DevBroker } from "./testing/broker.js";
export type { DevBrokerOptions, Disturbance, KeyChoice, Mail, MintOptions, Mode } from "./testing/broker.js";
export { MockTransport, ManualClock, mockClient } from "./testing/mock.js";
export type { MockClientOptions, Headers } from "./testing/mock.js";
export { checkStore } from "./testing/check-store.js";
export type { CheckStoreOptions } from "./testing/check-store.js";
