// The packages as they are published, installed into an empty folder.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { LOGGED_IN, PROGRAMS, publish, run, TARGET, TYPED_PROGRAM } from "./published.mjs";

const HERE = path.resolve(import.meta.dirname, "../..");

// Fastify has a way to send a request without a network; an Express site is called as a request listener.
const ASK = {
  fastify: `
    const app = Fastify();
    await app.register(portier, { client, loginPath: "/login", onLogin });
    const ask = async (url, payload, headers) => (await app.inject({ method: payload === undefined ? "GET" : "POST", url, payload, headers })).headers;`,
  express: `
    const app = express();
    const { login, verify } = portier({ client, onLogin });
    app.use(verify);
    app.post("/login", login);
    const server = app.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { request: open } = await import("node:http");
    // Not by fetch, whose requests count as those of a script.
    const ask = (path, body, headers) => new Promise((resolve, reject) => {
      const { port } = server.address();
      const request = open({ host: "127.0.0.1", port, path, method: body === undefined ? "GET" : "POST", headers, agent: false });
      request.on("error", reject).on("response", (answer) => resolve(answer.resume().headers)).end(body);
    });
    server.unref();`,
};
const VISIT = (framework) => `
async function visit() {
  const broker = new DevBroker();
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
  const onLogin = ({ email }) => console.log(email);
  ${ASK[framework]}
  const post = (url, fields, headers) =>
    ask(url, String(new URLSearchParams(fields)), { "content-type": "application/x-www-form-urlencoded", ...headers });
  const started = await post("/login", { email: "Alice@example.com", next: "/members" });
  const cookie = String(started["set-cookie"] ?? "").split(";")[0];
  const query = new URLSearchParams(broker.signIn(started.location));
  const done = await ask("/verify?" + query, undefined, { cookie });
  broker.stop();
  console.log(done.location);
}
`;
const SITES = ["express", "fastify"].flatMap((framework) => {
  const name = framework === "express" ? "express" : "Fastify";
  const head = VISIT(framework);
  return [
    [
      `${framework}.mjs`,
      `import ${name} from "${framework}";
      import { PortierClient } from "portier-client";
      import { portier } from "portier-client/${framework}";
      import { DevBroker } from "portier-client/testing"; ${head} await visit();`,
    ],
    [
      `${framework}.cjs`,
      `const ${name} = require("${framework}");
      const { PortierClient } = require("portier-client");
      const { portier } = require("portier-client/${framework}");
      const { DevBroker } = require("portier-client/testing"); ${head} visit();`,
    ],
  ];
});

describe("installed into an empty folder", () => {
  let published;
  let folder;
  before(async () => {
    published = await publish();
    folder = published.makeSite();
    run("npm", ["install", "--no-audit", "--no-fund", "portier-client"], folder, published.npm);
  });
  after(() => published.unpublish());

  for (const [name, program] of Object.entries(PROGRAMS)) {
    test(`it logs in ${name}`, () => {
      writeFileSync(path.join(folder, name), program);
      assert.equal(run(process.execPath, [name], folder), LOGGED_IN);
    });
  }

  test("it logs in from TypeScript", () => {
    symlinkSync(path.join(HERE, "node_modules/@types"), path.join(folder, "node_modules/@types"));
    symlinkSync(
      path.join(HERE, "node_modules/undici-types"),
      path.join(folder, "node_modules/undici-types"),
    );
    writeFileSync(path.join(folder, "typed.mts"), TYPED_PROGRAM);
    const options = ["--strict", "--target", "es2022", "--module", "nodenext", "--types", "node"];
    const tsc = path.join(HERE, "node_modules/typescript/bin/tsc");
    run(process.execPath, [tsc, ...options, "typed.mts"], folder);
    assert.equal(run(process.execPath, ["typed.mjs"], folder), LOGGED_IN);
  });

  for (const [name, program] of SITES) {
    test(`a site with its framework logs in ${name}`, () => {
      const site = path.join(folder, "site");
      const framework = path.parse(name).name;
      mkdirSync(path.join(site, "node_modules"), { recursive: true });
      const installed = path.join(site, "node_modules", framework);
      symlinkSync(path.join(HERE, "node_modules", framework), installed);
      writeFileSync(path.join(site, name), program);
      assert.equal(run(process.execPath, [name], site), "alice@example.com\n/members\n");
      rmSync(installed);
    });
  }

  test("no framework is required or loaded", () => {
    const program = `
      require("portier-client");
      const own = Object.keys(require.cache);
      console.log(own.some((name) => name.includes("/web/")));
      require("portier-client/express");
      require("portier-client/fastify");
      require("portier-client/passport");
      const all = Object.keys(require.cache);
      console.log(all.every((name) => name.includes("portier-client/")));`;
    assert.equal(run(process.execPath, ["-e", program], folder), "false\ntrue\n");
  });

  test("its command is installed", () => {
    assert.match(run("npx", ["--offline", "portier-client", "--version"], folder), /^portier-client \d/);
  });

  for (const version of ["3.0.0", "4.0.0", "5.0.0-alpha.1", "99.0.0"]) {
    test(`a site without the integrations may have any framework version: ${version}`, () => {
      const site = published.makeSite();
      const peers = ["express", "fastify", "@types/express", "hono", "koa", "@types/koa", "@nestjs/common", "@nestjs/core", "passport"];
      const frameworks = peers.map((name) => {
        const stub = path.join(site, name);
        mkdirSync(stub, { recursive: true });
        writeFileSync(path.join(stub, "package.json"), JSON.stringify({ name, version }));
        return `./${name}`;
      });
      const flags = ["--package-lock-only", "--install-links", "--strict-peer-deps", "--no-audit", "--no-fund"];
      run("npm", ["install", ...flags, ...frameworks, "portier-client"], site, published.npm);
    });
  }

  test("it has no dependencies but its addon", () => {
    const installed = readdirSync(path.join(folder, "node_modules"));
    const others = installed.filter((name) => !name.startsWith(".") && !/types/.test(name));
    assert.deepEqual(others, ["@portier-client", "portier-client"]);
    assert.deepEqual(readdirSync(path.join(folder, "node_modules/@portier-client")), [TARGET]);
  });
});
