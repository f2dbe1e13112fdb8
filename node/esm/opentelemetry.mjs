// As `index.mjs`: names for `import`, and nothing else.
export { instrument, uninstrument } from "./opentelemetry.js";
