/**
 * Passwordless e-mail login through [Portier](https://portier.github.io), for relying parties.
 *
 * @packageDocumentation
 */

export { PortierClient, PortierClient as default } from "./client.js";
export type { AuthenticateOptions, CallOptions, CallbackParams, CompleteOptions } from "./client.js";
export { normalize, normalizeEmail, safeNext } from "./email.js";
export {
  BrokerError,
  BrokerUnavailable,
  BrowserMismatch,
  ConfigError,
  InternalError,
  InvalidEmail,
  InvalidRequest,
  InvalidSession,
  InvalidToken,
  LoginRefused,
  PortierError,
  SessionUsed,
  StoreError,
  TokenExpired,
} from "./errors.js";
export type { ClaimReason, ErrorCode } from "./errors.js";
export type { PortierEvent } from "./events.js";
export type { Health, HealthCheck, HealthStatus } from "./health.js";
export type { Login } from "./login.js";
export { LoginFlow } from "./login-flow.js";
export type { BrowserBinding, FlowOptions, FormOptions } from "./login-flow.js";
export type { PortierClientOptions } from "./options.js";
export type { Algorithm, Flow, Key, ResponseMode } from "./protocol.js";
export type { DocumentStats, DurationStats, Stats } from "./stats.js";
export { AbstractStore } from "./store/abstract.js";
export type { MaybeRecord, Store } from "./store/custom.js";
export { RedisClientStore } from "./store/redis-client.js";
export { MemoryStore, RedisStore, SqliteStore } from "./store/built-in.js";
export type { AnyStore } from "./store/built-in.js";
export type { Secret, Session } from "./session.js";
export { SessionCookie } from "./session-cookie.js";
export type { SessionOptions } from "./session-cookie.js";
export type { Confirmation, Problem, Reply, Step } from "./step.js";
export { version } from "./native.js";
export type { AnyRequest, WebRequest } from "./web-request.js";
