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
export { login } from "./testing/login.js";
export type { LoginOptions } from "./testing/login.js";
export { brokerDown, cancelled, expired, otherBrowser, refused, replayed, rotatedKeys, wrongAddress } from "./testing/scenarios.js";
export type { WrongAddressOptions } from "./testing/scenarios.js";
export { TestSession } from "./testing/session.js";
export type { Body, SessionOptions } from "./testing/session.js";
export { TestResponse } from "./testing/response.js";
export { LoginFailed } from "./testing/failure.js";
export { freezeTime, FrozenClock } from "./testing/frozen-clock.js";
export type { FakeTimers, FreezeOptions } from "./testing/frozen-clock.js";
export type { Cookie } from "./testing/jar.js";
export type { App, FetchHandler, Listener, Supertest } from "./testing/sites.js";
