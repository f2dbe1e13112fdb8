// As `index.mjs`: names for `import`, and nothing else.
export { cookieFlags, explain, loginPolicy, portier, portier as default } from "./web/express.js";
