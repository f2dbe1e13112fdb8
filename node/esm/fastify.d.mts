export * from "./web/fastify.js";
export { portier as default } from "./web/fastify.js";
