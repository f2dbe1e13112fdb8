// Where a login may lead back to: the shared vectors, through the example sites.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { eachSite, walk } from "./sites.mjs";
import { Visitor } from "./visitor.mjs";

const VECTORS = path.resolve(import.meta.dirname, "../../../tests/vectors/next.json");
const { cases } = JSON.parse(readFileSync(VECTORS, "utf8"));
const ON_SITE = cases.filter((vector) => vector.allowed_hosts === undefined);

eachSite((here) => {
  for (const { id, next, expect } of ON_SITE) {
    test(`web_04 a login never leads off the site: ${id}`, async () => {
      const visitor = new Visitor();
      const callback = await walk(visitor, here.site, { next });
      const answer = await visitor.submit(callback, "", {}, { follow: false });
      assert.equal(answer.status, 303);
      assert.equal(answer.headers.location, expect ?? "/");
      assert.equal(new URL(answer.headers.location, here.site.origin).origin, here.site.origin);
    });
  }

  test("web_04 an over-long page is not gone back to", async () => {
    const visitor = new Visitor();
    const callback = await walk(visitor, here.site, { next: `/${"a".repeat(5000)}` });
    const answer = await visitor.submit(callback, "", {}, { follow: false });
    assert.equal(answer.headers.location, "/");
  });

  test("web_04 what is stored is not trusted either", async () => {
    const session = "//evil.example";
    const url = await here.client.authenticate("alice@example.com", { session });
    const token = { id_token: here.broker.mint({ url }) };
    // It was started by hand, in no browser: the person is asked first.
    const visitor = new Visitor();
    const question = await visitor.post(`${here.site.origin}/verify`, token);
    const answer = await visitor.submit(question, "", {}, { follow: false });
    assert.equal(answer.headers.location, "/");
  });
});
