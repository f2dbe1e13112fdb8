/** Why the status of a program stopped by a signal cannot be seen on this runtime, or false. */
export const NO_STATUS =
  "Deno" in globalThis &&
  "Deno's node:child_process gives the signal that was sent in place of the status";

/** Why a client cannot tell on this runtime that it is made while a module is loaded, or false. */
export const NO_LOADER =
  ("Bun" in globalThis || "Deno" in globalThis) && "the call stacks of Bun and Deno do not name the loader of modules";

/** Why Fastify cannot answer a request on this runtime that names its target as a whole URL, or false. */
export const NO_WHOLE_TARGET = "Deno" in globalThis && "Deno answers it with 400, before Fastify sees it";
