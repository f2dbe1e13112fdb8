export * from "./web/node.js";
export { portier as default } from "./web/node.js";
