// Proxies and certificate authorities from the environment, each in its own process.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = new URL("../..", import.meta.url);
const file = (name) => fileURLToPath(new URL(`tls/${name}.pem`, import.meta.url));
const pem = (name) => readFileSync(file(name), "utf8");
const WARNING = /\[PORTIER_EXTRA_CA_CERTS\] PortierWarning: NODE_EXTRA_CA_CERTS: /;
// Prints the issuer, or the message of the error.
const DISCOVER = `
  const { PortierClient } = require("portier-client");
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: process.argv.at(-1) });
  client.discover().then(({ issuer }) => issuer, ({ code, message }) => code + ": " + message).then(console.log);
`;
const IN_WORKER = `
  const { Worker } = require("node:worker_threads");
  new Worker(${JSON.stringify(DISCOVER)}, { eval: true, env: {}, argv: process.argv.slice(-1) });
`;

let broker, port, folder;

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "portier-client-"));
  broker = createSecureServer({ cert: pem("server"), key: pem("server-key") }, (request, response) => {
    const issuer = `https://${request.headers.host}`;
    const endpoints = { authorization_endpoint: `${issuer}/auth`, jwks_uri: `${issuer}/keys.json` };
    response.end(JSON.stringify({ issuer, ...endpoints, response_modes_supported: ["form_post"] }));
  });
  port = await listening(broker);
});

after(() => {
  broker.closeAllConnections();
  broker.close();
  rmSync(folder, { recursive: true });
});

describe("the file of NODE_EXTRA_CA_CERTS", () => {
  const refused = /^broker_unreachable: the broker's certificate is refused/;
  const broken = pem("other").replace("MII", "???");
  for (const [name, content, isTrusted, warning] of [
    ["with one certificate", pem("authority"), true, undefined],
    ["with several certificates", `${pem("other")}# ours\n${pem("authority")}`, true, undefined],
    ["with a broken certificate", `${broken}${pem("authority")}`, true, /cannot be read number=1/],
    ["with other certificates", pem("other"), false, undefined],
    ["without certificates", "nothing", false, /has no PEM certificates path=/],
    ["that does not exist", undefined, false, /does not exist path=/],
  ]) {
    for (const [place, program] of [["", DISCOVER], [" in a worker", IN_WORKER]]) {
      test(name + place, async () => {
        const NODE_EXTRA_CA_CERTS = path.join(folder, `${name}.pem`);
        if (content !== undefined) writeFileSync(NODE_EXTRA_CA_CERTS, content);
        const origin = `https://localhost:${port}`;
        const { stdout, stderr } = await run(program, origin, { NODE_EXTRA_CA_CERTS });
        if (isTrusted) assert.equal(stdout, origin);
        else assert.match(stdout, refused);
        if (warning === undefined) assert.doesNotMatch(stderr, WARNING);
        else assert.match(stderr, new RegExp(WARNING.source + "[^\\n]*" + warning.source));
      });
    }
  }

  test("that is not set", async () => {
    for (const NODE_EXTRA_CA_CERTS of ["", undefined]) {
      const { stdout, stderr } = await run(DISCOVER, `https://localhost:${port}`, { NODE_EXTRA_CA_CERTS });
      assert.match(stdout, refused);
      assert.doesNotMatch(stderr, WARNING);
    }
  });
});

test("the file of DENO_CERT is trusted on Deno, and only there", async () => {
  const origin = `https://localhost:${port}`;
  const { stdout } = await run(DISCOVER, origin, { DENO_CERT: file("authority") });
  assert.equal(stdout === origin, "Deno" in globalThis, stdout);
  const { stderr } = await run(DISCOVER, origin, { DENO_CERT: "/nowhere/ca.pem" });
  assert.equal(/PortierWarning: DENO_CERT: .* does not exist path=/.test(stderr), "Deno" in globalThis, stderr);
});

test("the doctor trusts what a client trusts", async () => {
  const program = `
    const { examine } = require("portier-client/doctor");
    examine({ redirectUri: "https://example.com/verify", broker: process.argv.at(-1) })
      .then(({ findings }) => console.log(findings.map(({ id }) => id).includes("broker.certificate")));
  `;
  for (const [authority, isRefused] of [["authority", false], ["other", true]]) {
    const { stdout } = await run(program, `https://localhost:${port}`, { NODE_EXTRA_CA_CERTS: file(authority) });
    assert.equal(stdout, String(isRefused), authority);
  }
});

describe("on a system without certificate authorities", () => {
  const origin = () => `https://localhost:${port}`;

  test("those that are built into Node.js are trusted", async (t) => {
    const { stdout } = await run(DISCOVER, origin(), {}, withoutAuthorities(t));
    // They are not those of this broker.
    assert.match(stdout, /^broker_unreachable: the broker's certificate is refused/);
  });

  test("a variable that names none takes precedence", async (t) => {
    const { stdout } = await run(DISCOVER, origin(), { SSL_CERT_DIR: "/etc/ssl" }, withoutAuthorities(t));
    assert.match(stdout, /^broker_unreachable: TLS cannot be set up: there are no certificate authorities/);
  });
});

describe("the proxy of HTTPS_PROXY", () => {
  const origin = () => `https://broker.test:${port}`;
  const NODE_EXTRA_CA_CERTS = file("authority");

  test("is used, with white space and quotes around its URL", async () => {
    const asked = [];
    const proxy = createServer().on("connect", ({ url, headers }, socket) => {
      asked.push([url, headers["proxy-authorization"]]);
      const target = connect(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(target).pipe(socket);
      });
      for (const end of [socket, target]) end.on("error", () => {});
    });
    const proxyPort = await listening(proxy);
    const HTTPS_PROXY = `"http://some%40one:word@127.0.0.1:${proxyPort}"\n`;
    const { stdout } = await run(DISCOVER, origin(), { NODE_EXTRA_CA_CERTS, HTTPS_PROXY });
    proxy.close();
    assert.equal(stdout, origin());
    const credentials = `Basic ${Buffer.from("some@one:word").toString("base64")}`;
    assert.deepEqual(asked, [[`broker.test:${port}`, credentials]]);
  });

  test("is an error if it is invalid", async () => {
    const HTTPS_PROXY = "http://someone:hun#ter2@127.0.0.1:9";
    const { stdout } = await run(DISCOVER, origin(), { NODE_EXTRA_CA_CERTS, HTTPS_PROXY });
    assert.match(stdout, /^broker_unreachable: the environment variable HTTPS_PROXY has special characters/);
    assert.doesNotMatch(stdout, /ter2/);
  });
});

async function listening(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server.address().port;
}

/**
 * A command that runs another one where the folder of certificate authorities is empty, as in the image `node:slim`. It
 * needs a user namespace or `sudo`; without either, the test is skipped, except in CI.
 */
function withoutAuthorities(t) {
  const script = 'mount -t tmpfs none /etc/ssl && exec "$@"';
  for (const words of [["unshare", "-rm"], ["sudo", "-n", "-E", "unshare", "-m"]]) {
    const command = [...words, "sh", "-c", script, "sh"];
    if (spawnSync(command[0], [...command.slice(1), "true"]).status === 0) return command;
  }
  assert.notEqual(process.env.CI, "true", "there is no namespace of one's own here");
  t.skip("there is no namespace of one's own here");
  return [];
}

/** Runs a program with these network variables, and no others. */
async function run(program, origin, variables, before = []) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/_PROXY$|^SSL_CERT|^NODE_EXTRA_CA|^DENO_CERT/i.test(name)),
  );
  const given = Object.entries(variables).filter(([, value]) => value !== undefined);
  const [command, ...words] = [...before, process.execPath, "-e", program, "--", origin];
  const child = spawn(command, words, {
    cwd: HERE,
    env: { ...env, ...Object.fromEntries(given) },
    timeout: 60_000,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  await new Promise((resolve) => child.on("close", resolve));
  return { stdout: stdout.trim(), stderr };
}
