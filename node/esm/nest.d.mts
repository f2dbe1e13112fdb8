export * from "./web/nest.js";
