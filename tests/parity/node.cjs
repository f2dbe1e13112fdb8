// Prints the interface of the npm package as JSON, for `parity.py`.
const { readFileSync } = require("node:fs");
const path = require("node:path");

const folder = path.resolve(__dirname, "../../node");
const portier = require(folder);
const { native } = require(path.join(folder, "dist/native.js"));
const { DevBroker } = require(path.join(folder, "dist/testing.js"));
const { CLASSES } = require(path.join(folder, "dist/errors.js"));
const types = (name) => readFileSync(path.join(folder, `dist/${name}.d.ts`), "utf8");
const { PortierClient, default: Default, ...names } = portier;

const client = new PortierClient({ redirectUri: "https://example.com/verify" });
const members = (start, text) => {
  const body = text.slice(text.indexOf(start));
  return [...body.slice(0, body.indexOf("\n}")).matchAll(/^ {4}(?:readonly )?(\w+)\??:/gm)].map(([, name]) => name);
};

console.log(
  JSON.stringify({
    names: Object.keys(names),
    types: [...types("index").matchAll(/export type \{([^}]*)\}/g)].flatMap(([, list]) => list.match(/\w+/g)),
    testing: Object.keys(require(path.join(folder, "dist/testing.js"))),
    broker: Object.getOwnPropertyNames(DevBroker.prototype).filter((name) => name !== "constructor"),
    client: Object.getOwnPropertyNames(PortierClient.prototype).filter((name) => name !== "constructor"),
    options: members("interface PortierClientOptions", types("options")),
    flow: Object.getOwnPropertyNames(portier.LoginFlow.prototype).filter((name) => name !== "constructor"),
    flowOptions: members("interface FlowOptions", types("login-flow")),
    login: members("class Login", types("login")),
    stats: client.stats(),
    codes: native.codes(),
    classes: Object.fromEntries(Object.entries(CLASSES).map(([code, { name }]) => [code, name])),
    defaults: { broker: client.broker, responseMode: client.responseMode, leewayMs: client.leewayMs },
  }),
);
