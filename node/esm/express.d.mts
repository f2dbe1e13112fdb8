export * from "./web/express.js";
export { portier as default } from "./web/express.js";
