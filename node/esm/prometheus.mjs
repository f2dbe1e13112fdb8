// As `index.mjs`: names for `import`, and nothing else.
export { collectMetrics } from "./prometheus.js";
