// The package as `npm pack` makes it, installed into an empty folder.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

// pnpm links packages from elsewhere. Yarn keeps packages in archives, except those with an addon.
const MANAGERS = {
  pnpm: { program: "pnpm/bin/pnpm.cjs", install: ["install", "--offline", "--store-dir=store"], run: [] },
  "Yarn's Plug'n'Play": { program: "@yarnpkg/cli-dist/bin/yarn.js", install: ["install"], run: ["node"] },
};
const YARN = {
  YARN_NODE_LINKER: "pnp",
  YARN_PNP_ENABLE_ESM_LOADER: "1",
  YARN_ENABLE_NETWORK: "0",
  YARN_ENABLE_TELEMETRY: "0",
  YARN_ENABLE_GLOBAL_CACHE: "0",
  YARN_ENABLE_IMMUTABLE_INSTALLS: "0",
};
const HERE = path.resolve(import.meta.dirname, "../..");

const LOG_IN = `
async function logIn() {
  const broker = new DevBroker();
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
  const url = await client.authenticate("Alice@example.com", { session: "/members" });
  const login = await client.complete(broker.signIn(url));
  broker.stop();
  console.log(login.email, login.session);
}
`;
const PROGRAMS = {
  "esm.mjs": `import PortierClient from "portier-client";
    import { DevBroker } from "portier-client/testing"; ${LOG_IN} await logIn();`,
  "cjs.cjs": `const { PortierClient } = require("portier-client");
    const { DevBroker } = require("portier-client/testing"); ${LOG_IN} logIn();`,
  "both.mjs": `import { createRequire } from "node:module";
    import { PortierClient } from "portier-client";
    const { DevBroker } = createRequire(import.meta.url)("portier-client/testing"); ${LOG_IN} await logIn();`,
};

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
  let folder;
  let tarball;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "portier-client-"));
    writeFileSync(path.join(folder, "package.json"), '{ "private": true }');
    run("npm", ["pack", "--pack-destination", folder], HERE);
    tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
    run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${tarball}`], folder);
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, program] of Object.entries(PROGRAMS)) {
    test(`it logs in ${name}`, () => {
      writeFileSync(path.join(folder, name), program);
      assert.equal(run(process.execPath, [name], folder), "alice@example.com /members\n");
    });
  }

  test("it logs in from TypeScript", () => {
    symlinkSync(path.join(HERE, "node_modules/@types"), path.join(folder, "node_modules/@types"));
    symlinkSync(
      path.join(HERE, "node_modules/undici-types"),
      path.join(folder, "node_modules/undici-types"),
    );
    writeFileSync(
      path.join(folder, "typed.mts"),
      `import PortierClient, { type Login } from "portier-client";
      import { DevBroker } from "portier-client/testing";
      ${LOG_IN.replace("const login =", "const login: Login =")} await logIn();`,
    );
    const options = ["--strict", "--target", "es2022", "--module", "nodenext", "--types", "node"];
    const tsc = path.join(HERE, "node_modules/typescript/bin/tsc");
    run(process.execPath, [tsc, ...options, "typed.mts"], folder);
    assert.equal(run(process.execPath, ["typed.mjs"], folder), "alice@example.com /members\n");
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
      console.log(all.every((name) => name.includes("/portier-client/")));`;
    assert.equal(run(process.execPath, ["-e", program], folder), "false\ntrue\n");
  });

  test("its command is installed", () => {
    assert.match(run("npx", ["--offline", "portier-client", "--version"], folder), /^portier-client \d/);
  });

  for (const version of ["3.0.0", "4.0.0", "5.0.0-alpha.1", "99.0.0"]) {
    test(`a site without the integrations may have any framework version: ${version}`, () => {
      const site = mkdtempSync(path.join(folder, "site-"));
      writeFileSync(path.join(site, "package.json"), '{ "private": true }');
      const peers = ["express", "fastify", "@types/express", "hono", "koa", "@types/koa", "@nestjs/common", "@nestjs/core", "passport"];
      const frameworks = peers.map((name) => {
        const stub = path.join(site, name);
        mkdirSync(stub, { recursive: true });
        writeFileSync(path.join(stub, "package.json"), JSON.stringify({ name, version }));
        return `./${name}`;
      });
      const flags = ["--offline", "--package-lock-only", "--install-links", "--strict-peer-deps", "--no-audit", "--no-fund"];
      run("npm", ["install", ...flags, ...frameworks, `../${tarball}`], site);
    });
  }

  for (const [name, { program, install, run: prefix }] of Object.entries(MANAGERS)) {
    test(`it logs in when installed with ${name}`, () => {
      const site = mkdtempSync(path.join(folder, "site-"));
      const dependencies = { "portier-client": `file:../${tarball}` };
      writeFileSync(path.join(site, "package.json"), JSON.stringify({ private: true, dependencies }));
      // Otherwise it would be part of the project above.
      writeFileSync(path.join(site, "yarn.lock"), "");
      const manager = path.join(HERE, "tests/runtimes/node_modules", program);
      run(process.execPath, [manager, ...install], site, YARN);
      for (const [file, text] of Object.entries(PROGRAMS)) {
        writeFileSync(path.join(site, file), text);
        const command = prefix.length === 0 ? [file] : [manager, ...prefix, file];
        assert.equal(run(process.execPath, command, site, YARN), "alice@example.com /members\n");
      }
    });
  }

  test("it has no dependencies", () => {
    const installed = readdirSync(path.join(folder, "node_modules"));
    const others = installed.filter((name) => !name.startsWith(".") && !/types/.test(name));
    assert.deepEqual(others, ["portier-client"]);
  });
});

function run(command, args, cwd, variables = {}) {
  const env = { ...process.env, ...variables };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  assert.equal(status, 0, `${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}
