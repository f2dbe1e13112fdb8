export * from "./web/hono.js";
export { portier as default } from "./web/hono.js";
