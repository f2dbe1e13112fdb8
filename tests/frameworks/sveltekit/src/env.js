import { defineEnvVars } from "@sveltejs/kit/env";

export const variables = defineEnvVars({
  ORIGIN: {},
  SESSION_SECRET: {},
  // The public broker by default.
  BROKER: { schema: (value) => value },
});
