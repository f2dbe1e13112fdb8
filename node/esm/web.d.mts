export * from "./web/web.js";
export { portier as default } from "./web/web.js";
