export * from "./index.js";
export { PortierClient as default } from "./index.js";
