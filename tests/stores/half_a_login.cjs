// One half of a login in its own process, like `core/examples/half_a_login.rs`.
const { readFileSync } = require("node:fs");
const { PortierClient } = require("../../node");

async function main([broker, store, word]) {
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker, store });
  const half =
    word === "complete" ? client.verify(readFileSync(0, "utf8").trim()) : client.authenticate("Alice@example.com");
  const result = await half.catch((error) => error.code ?? Promise.reject(error));
  const { discovery, keys } = client.stats();
  console.log(JSON.stringify({ result, requests: discovery.requests + keys.requests }));
}

main(process.argv.slice(2));
