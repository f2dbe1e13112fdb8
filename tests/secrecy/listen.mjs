// Writes every event of a program to the file in PORTIER_TEST_TRACE: node --import listen.mjs …
import { subscribe } from "node:diagnostics_channel";
import { appendFileSync } from "node:fs";

const file = process.env.PORTIER_TEST_TRACE;

subscribe("portier-client", (event) => appendFileSync(file, `${JSON.stringify(event)}\n`));
