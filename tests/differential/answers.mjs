// Answers of the npm package: a question per line, an answer per line, in the format of core/examples/answers.rs.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../node/package.json", import.meta.url));
const { InvalidEmail, normalizeEmail, safeNext } = require("portier-client");

for await (const line of createInterface({ input: process.stdin })) {
  const [kind, text, hosts] = JSON.parse(line);
  console.log(JSON.stringify(kind === "next" ? safeNext(text, hosts) : normalized(text)));
}

function normalized(text) {
  try {
    return normalizeEmail(text);
  } catch (error) {
    if (error instanceof InvalidEmail) return { code: error.code };
    throw error;
  }
}
