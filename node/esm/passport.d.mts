export * from "./web/passport.js";
export { Strategy as default } from "./web/passport.js";
