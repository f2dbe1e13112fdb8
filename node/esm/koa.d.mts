export * from "./web/koa.js";
export { portier as default } from "./web/koa.js";
