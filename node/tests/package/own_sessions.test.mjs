// Sites of the manual that keep people signed in by sessions of their own.
import assert from "node:assert/strict";
import { test } from "node:test";

import { login } from "portier-client/testing";

import { read, run, section, typedExamples } from "./manual.mjs";

for (const page of ["fetch", "hono", "koa", "nest", "node"]) {
  test(`the site of the manual for ${page} guards its pages by sessions of its own`, async (t) => {
    const { app, site = app } = await run(`own-${page}.mjs`, exampleOf(`docs/frameworks/${page}.md`));
    t.after(() => app?.close());
    const session = await login(site, "alice@example.com", { next: "/members?page=2", origin: "https://example.com" });
    assert.equal(session.response.url, "https://example.com/members?page=2");
    assert.equal(session.response.text, "You are alice@example.com.");

    const elsewhere = { origin: "https://other.example", "sec-fetch-site": "cross-site" };
    const refused = await session.post("/logout", {}, elsewhere);
    assert.deepEqual([refused.status, refused.problem], [403, "other_site"]);
    assert.equal((await session.get("/members")).status, 200, "still signed in");

    const out = await session.post("/logout");
    assert.deepEqual([out.status, out.location], [303, "https://example.com/login"]);
    const turned = await session.get("/members?page=2");
    assert.deepEqual([turned.status, turned.location], [303, "https://example.com/login?next=%2Fmembers%3Fpage%3D2"]);
    const script = await session.get("/members", { accept: "application/json" });
    assert.deepEqual([script.status, script.problem, script.json().url], [401, "not_signed_in", "/login"]);
  });
}

function exampleOf(page) {
  const compiled = typedExamples(read(page)).filter((code) => code.includes("SessionGuard"));
  return section(page, "Sessions") ?? compiled[0];
}
