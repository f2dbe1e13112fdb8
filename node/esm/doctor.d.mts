export * from "./doctor.js";
