/** Why the status of a program stopped by a signal cannot be seen on this runtime, or false. */
export const NO_STATUS =
  "Deno" in globalThis &&
  "Deno's node:child_process gives the signal that was sent in place of the status";
