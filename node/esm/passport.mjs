// As `index.mjs`: names for `import`, and nothing else.
export { Strategy, Strategy as default, cookieFlags, loginPolicy, nextPage, redirectToNext } from "./web/passport.js";
