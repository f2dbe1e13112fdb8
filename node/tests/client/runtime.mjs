/** The reason why the status of a program stopped by a signal is not visible on this runtime, or false. */
export const NO_STATUS =
  "Deno" in globalThis &&
  "Deno's node:child_process gives the signal that was sent in place of the status";

/** The reason why a client cannot tell on this runtime that a module is being loaded, or false. */
export const NO_LOADER =
  ("Bun" in globalThis || "Deno" in globalThis) && "the call stacks of Bun and Deno do not name the loader of modules";

/** The reason why Fastify cannot answer a request with a whole URL as its target on this runtime, or false. */
export const NO_WHOLE_TARGET = "Deno" in globalThis && "Deno answers it with 400, before Fastify sees it";
