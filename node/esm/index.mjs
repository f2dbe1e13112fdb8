// The CommonJS files are the package. This names their exports for `import`, so that there is one
// of each class, however the package is loaded.
import portier from "./index.js";

export const {
  BrokerError,
  BrokerUnavailable,
  ConfigError,
  InternalError,
  InvalidEmail,
  InvalidSession,
  InvalidToken,
  MemoryStore,
  PortierClient,
  PortierError,
  SessionUsed,
  StoreError,
  TokenExpired,
  normalize,
  normalizeEmail,
  safeNext,
  version,
} = portier;
export default PortierClient;
