/**
 * What tests and development need. Nothing here is for production.
 *
 * @packageDocumentation
 */

export { DevBroker } from "./testing/broker.js";
export type { DevBrokerOptions, Disturbance, KeyChoice, MintOptions, Mode } from "./testing/broker.js";
export { CannedTransport, ManualClock, cannedClient } from "./testing/canned.js";
export type { CannedOptions, Headers } from "./testing/canned.js";
export { checkStore } from "./testing/check-store.js";
export type { CheckStoreOptions } from "./testing/check-store.js";
