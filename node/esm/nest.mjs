// As `index.mjs`: names for `import`, and nothing else.
export { PortierGuard, PortierModule, PortierService, Public, Session, cookieFlags, loginPolicy } from "./web/nest.js";
