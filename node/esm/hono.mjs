// As `index.mjs`: names for `import`, and nothing else.
export { cookieFlags, loginPolicy, portier, portier as default } from "./web/hono.js";
