// As `index.mjs`: names for `import`, and nothing else.
export { contentType, exposition } from "./metrics.js";
