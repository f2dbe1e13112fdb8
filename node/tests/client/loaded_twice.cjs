// A module that makes two clients, like a module that is loaded twice; run by processes.test.mjs.
const { MemoryStore, PortierClient } = require("portier-client");

const redirectUri = "https://example.com/verify";
const client = (more) => new PortierClient({ redirectUri, store: "memory:", ...more });
const store = new MemoryStore();
const ways = {
  "for one site": () => [client(), client()],
  "with a store they share": () => [client({ store }), client({ store })],
  "the first of which is destroyed": () => [client().destroy(), client()],
  "for two sites": () => [client(), client({ redirectUri: "https://example.org/verify" })],
  "later, in a function": () => setImmediate(() => kept.push(client(), client())),
};
const kept = [ways[process.argv[2]]()];
