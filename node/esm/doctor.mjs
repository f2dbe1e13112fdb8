// As `index.mjs`: names for `import`, and nothing else.
export { examine } from "./doctor.js";
