// The CommonJS files are the package. This names their exports for `import`, so that there is one
// of each class, however the package is loaded.
export {
  BrokerError,
  BrokerUnavailable,
  ConfigError,
  InternalError,
  InvalidEmail,
  InvalidSession,
  InvalidToken,
  MemoryStore,
  PortierClient,
  PortierClient as default,
  PortierError,
  RedisStore,
  SessionUsed,
  SqliteStore,
  StoreError,
  TokenExpired,
  normalize,
  normalizeEmail,
  safeNext,
  version,
} from "./index.js";
