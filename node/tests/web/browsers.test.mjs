// Logins that come to their end in another browser, by chance or by an attacker.
import assert from "node:assert/strict";
import { test } from "node:test";

import { eachSite, walk } from "./sites.mjs";
import { Visitor } from "./visitor.mjs";

const VICTIM = "victim@example.com";
const ATTACKER = "attacker@example.com";
const ASKS = `Sign in as <span class="address">${ATTACKER}</span> on this device?`;
const OVER = "This sign-in is over";

eachSite((here) => {
  // Someone whom an attacker wants to sign in as somebody else.
  const VICTIMS = {
    "has been nowhere": async () => new Visitor(),
    "has started a login": async () => {
      const victim = new Visitor();
      await start(victim, VICTIM);
      return victim;
    },
    "has logged in": async () => {
      const victim = new Visitor();
      assert.ok((await victim.submit(await start(victim, VICTIM))).text.includes(VICTIM));
      return victim;
    },
  };

  for (const [who, makeVictim] of Object.entries(VICTIMS)) {
    for (const [how, claims] of [["as it is", {}], ["as if it came from the site", { portier_again: "1" }]]) {
      test(`web_01 an attacker's answer signs nobody in: one who ${who}, ${how}`, async () => {
        const victim = await makeVictim();
        const attacker = new Visitor();
        const callback = await start(attacker, ATTACKER);
        const asked = await victim.post(verify(), { ...callback.form("").fields, ...claims });
        assert.equal(asked.status, 200);
        assert.ok(asked.text.includes(ASKS));
        assert.ok(!(await isSignedIn(victim, ATTACKER)));
        // Nor was it used up.
        assert.ok((await attacker.submit(callback)).text.includes(ATTACKER));
      });
    }

    test(`web_01 what the attacker confirmed signs nobody else in: one who ${who}`, async () => {
      const victim = await makeVictim();
      const attacker = new Visitor();
      const callback = await start(attacker, ATTACKER);
      const confirmed = confirmForm(await new Visitor().submit(callback));
      for (const origin of [undefined, here.site.origin]) {
        const refused = await victim.post(verify(), confirmed, { origin });
        assert.ok(refused.text.includes(ASKS) || refused.text.includes("Cookies are needed"));
        assert.ok(!(await isSignedIn(victim, ATTACKER)));
      }
      assert.ok((await attacker.submit(callback)).text.includes(ATTACKER));
    });
  }

  test("web_20 a cookie that is none of ours signs nobody in", async () => {
    const callback = await start(new Visitor(), ATTACKER);
    const others = { portier2: "A".repeat(43), " portier": "", xportier: "A".repeat(43) };
    for (const value of ["", "x", "A".repeat(42), "A".repeat(44), "A".repeat(43), `"${"A".repeat(43)}"`]) {
      for (const cookies of [{ portier: value }, { ...others, portier: value }]) {
        const victim = new Visitor();
        const flags = "; SameSite=Lax";
        victim.cookies.set("localhost", new Map(Object.entries(cookies).map(([k, v]) => [k, { value: v, flags }])));
        const asked = await victim.post(verify(), callback.form("").fields, { origin: here.site.origin });
        assert.ok(asked.text.includes(ASKS), value);
        assert.ok(!(await isSignedIn(victim, ATTACKER)));
        if (value !== "A".repeat(43)) assert.notEqual(victim.cookie("portier").value, value, "replaced");
      }
    }
  });

  test("web_20 a browser that loses its cookies signs nobody in", async () => {
    const callback = await start(new Visitor(), ATTACKER);
    const forgetful = new Visitor();
    const asked = await forgetful.post(verify(), callback.form("").fields);
    assert.ok(asked.text.includes(ASKS));
    forgetful.cookies.clear();
    const refused = await forgetful.post(verify(), confirmForm(asked), { origin: here.site.origin });
    assert.equal(refused.status, 400);
    assert.match(refused.text, /Cookies are needed/);
  });

  test("a person goes on where the mail was opened", async () => {
    const desk = new Visitor();
    const phone = new Visitor();
    const callback = await start(desk, ATTACKER);
    const asked = await phone.submit(callback);
    assert.ok(asked.text.includes(ASKS));
    assert.ok((await phone.submit(callback)).text.includes(ASKS), "reloading the question");
    const welcome = await phone.post(verify(), confirmForm(asked), { origin: here.site.origin });
    assert.equal(welcome.url, `${here.site.origin}/`);
    assert.ok(await isSignedIn(phone, ATTACKER));
    const over = await desk.submit(callback);
    assert.equal(over.url, `${here.site.origin}/`, "the browser's own login, completed before");
    assert.ok(!(await isSignedIn(desk, ATTACKER)));
    const again = await phone.post(verify(), confirmForm(asked), { origin: here.site.origin });
    assert.ok(again.text.includes(OVER));
    assert.ok(await isSignedIn(phone, ATTACKER));
  });

  test("a person who does not confirm goes on in the first browser", async () => {
    const desk = new Visitor();
    const phone = new Visitor();
    const callback = await start(desk, ATTACKER);
    const asked = await phone.submit(callback);
    assert.ok(asked.text.includes('<a class="button quiet" href="/login">No, cancel</a>'));
    assert.ok(!(await isSignedIn(phone, ATTACKER)));
    assert.ok((await desk.submit(callback)).text.includes(ATTACKER));
    const late = await phone.post(verify(), confirmForm(asked), { origin: here.site.origin });
    assert.ok(late.text.includes(OVER));
    assert.ok(!(await isSignedIn(phone, ATTACKER)));
    assert.ok((await phone.submit(callback)).text.includes(OVER));
  });

  test("web_22 the same answer again leads home", async () => {
    const visitor = new Visitor();
    const callback = await start(visitor, VICTIM);
    await visitor.submit(callback);
    const before = visitor.cookie("session").value;
    const again = await visitor.submit(callback, "", {}, { follow: false });
    assert.deepEqual([again.status, again.headers.location], [303, "/"]);
    assert.equal(again.headers["cache-control"], "no-store");
    assert.equal(visitor.cookie("session").value, before);
  });

  test("web_21 tabs share a cookie", async () => {
    const visitor = new Visitor();
    const first = await start(visitor, VICTIM);
    const { value, flags } = visitor.cookie("portier");
    assert.equal(value.length, 43);
    assert.equal(flags, "; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax");
    const second = await start(visitor, ATTACKER);
    assert.equal(visitor.cookie("portier").value, value);
    assert.ok((await visitor.submit(second)).text.includes(ATTACKER));
    assert.ok((await visitor.submit(first)).text.includes(VICTIM));
  });

  for (const [kind, goesOn] of [["that posts again", false], ["that asks", true]]) {
    test(`web_08 the pages between are private and in no frame: the one ${kind}`, async () => {
      const callback = await start(new Visitor(), ATTACKER);
      const page = await new Visitor().submit(callback, "", {}, { goesOn });
      assert.equal(page.postsAgain, !goesOn);
      assert.equal(page.status, 200);
      assert.match(page.headers["content-type"], /^text\/html; *charset=utf-8$/i);
      assert.equal(page.headers["cache-control"], "no-store");
      assert.equal(page.headers["referrer-policy"], "no-referrer");
      assert.equal(page.headers["x-frame-options"], "DENY");
      assert.equal(page.headers["x-content-type-options"], "nosniff");
      assert.match(page.headers["content-security-policy"], /frame-ancestors 'none'/);
    });
  }

  /** Has a visitor log in as far as the broker's form, which is not posted yet. */
  function start(visitor, email) {
    return walk(visitor, here.site, { email });
  }

  /** Whether the site takes the visitor for the owner of an address. */
  async function isSignedIn(visitor, email) {
    return (await visitor.get(`${here.site.origin}/`)).text.includes(email);
  }

  function verify() {
    return `${here.site.origin}/verify`;
  }
});

/** What a person posts who agrees. */
function confirmForm(page) {
  const { action, fields } = page.form("");
  assert.equal(action, "");
  assert.equal(fields.portier_again, "1");
  assert.ok(fields.portier_confirmation);
  return fields;
}
