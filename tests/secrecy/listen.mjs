// Writes every event of a program to the file that PORTIER_TEST_TRACE names: node --import listen.mjs …
import { subscribe } from "node:diagnostics_channel";
import { appendFileSync } from "node:fs";

const file = process.env.PORTIER_TEST_TRACE;

subscribe("portier-client", (event) => appendFileSync(file, `${JSON.stringify(event)}\n`));
