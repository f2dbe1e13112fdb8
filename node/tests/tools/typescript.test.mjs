// The types of every integration, in the oldest and the newest TypeScript, with each way of finding modules.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { makeSite, run } from "./site.mjs";

const SITE = `
import { LoginFlow, PortierClient } from "portier-client";
import { portier as forExpress } from "portier-client/express";
import { portier as forFastify } from "portier-client/fastify";
import { portier as forHono } from "portier-client/hono";
import { portier as forKoa } from "portier-client/koa";
import { PortierModule, Session } from "portier-client/nest";
import { portier as forNode } from "portier-client/node";
import { redirectToNext, Strategy } from "portier-client/passport";
import { cancelled, DevBroker, freezeTime, login, type TestSession } from "portier-client/testing";
import { portier as forFetch } from "portier-client/web";

const client = new PortierClient({ redirectUri: "https://example.com/verify" });
export const all = [forExpress, forFastify, forHono, forKoa, forNode, redirectToNext, DevBroker, LoginFlow];
export const module = PortierModule.forRoot({ client, secret: "…" });
export const strategy = new Strategy({ client }, ({ email }, done) => done(null, { email }));
export const { handle } = forFetch({ client, secret: "…" });
export const page = (session: Session): string => session.email;
export async function tested(): Promise<TestSession> {
  freezeTime(0).tick(1);
  await cancelled("http://localhost:8888", "alice@example.com", { next: "/members" });
  return login(handle, "alice@example.com");
}
// @ts-expect-error a session has an address
export const other = (session: Session): number => session.email;
`;
const VERSIONS = {
  "typescript-oldest": ["node10", "node16", "bundler"],
  // It has no `node10` any more.
  "typescript-newest": ["node16", "bundler"],
};
const MODULES = { node10: "commonjs", node16: "node16", bundler: "es2022" };

for (const [version, resolutions] of Object.entries(VERSIONS)) {
  for (const moduleResolution of resolutions) {
    test(`the types of every integration are found: ${version}, ${moduleResolution}`, (context) => {
      const { folder } = makeSite(context);
      const module = MODULES[moduleResolution];
      const files = moduleResolution === "node16" ? ["site.mts", "site.cts"] : ["site.ts"];
      for (const file of files) writeFileSync(path.join(folder, file), SITE);
      const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: true, noEmit: true };
      const compilerOptions = { ...strict, module, moduleResolution, target: "es2022", types: ["node"] };
      writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
      const compiler = path.join(import.meta.dirname, "node_modules", version, "bin/tsc");
      const { status, stdout, stderr } = run(compiler, ["--project", folder]);
      assert.equal(status, 0, `${stdout}\n${stderr}`);
    });
  }
}
