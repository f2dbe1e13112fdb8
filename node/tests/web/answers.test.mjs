// The answers of hooks: their cookies, and answers that come too late.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as soon } from "node:timers/promises";

import session from "express-session";

import { eachKind } from "./plain.mjs";
import { Visitor } from "./visitor.mjs";

eachKind((here) => {
  const isExpress = here.kind.startsWith("express");
  const raw = (response) => (isExpress ? response : response.hijack().raw);

  const SIGN_INS = {
    "that leaves the answer to us": [() => {}, 303, true],
    "that redirects": [(response) => response.redirect("/elsewhere"), 302, true],
    "that sends a page": [(response) => response.status(200).send("welcome"), 200, true],
    "that refuses": [(response) => response.status(403).send("for staff only"), 403, false],
    "that writes to the server's response": [(response) => raw(response).writeHead(201).end("welcome"), 201, true],
    "that writes a cookie with the head": [(response) => raw(response).writeHead(302, { "Set-Cookie": "own=1", Location: "/" }).end(), 302, true],
    "that writes cookies as a list": [(response) => raw(response).writeHead(302, ["Location", "/", "set-cookie", "own=1"]).end(), 302, true],
    "that refuses with the head": [(response) => raw(response).writeHead(409, "No", { "set-cookie": ["own=1"] }).end(), 409, false],
    "that writes bit by bit": [(response) => raw(response).write("wel") && raw(response).end("come"), 200, true],
  };
  for (const [what, [onLogin, status, isSuccess]] of Object.entries(SIGN_INS)) {
    for (const [when, before] of [["at once", () => {}], ["after a while", soon]]) {
      test(`a reload redirects to the same page once a login has succeeded: a hook ${what} ${when}`, async (t) => {
        const site = await here.serve(t, {
          async onLogin(login, request, response) {
            await before();
            response.header?.("x-site", "1");
            if (isExpress) response.append("Set-Cookie", "seen=1");
            else response.header("set-cookie", "seen=1");
            onLogin(response);
          },
        });
        const visitor = new Visitor();
        const form = await site.answer(visitor, { next: "/members" });
        const done = await site.finish(visitor, form);
        assert.equal(done.status, status, done.text);
        const names = (done.headers["set-cookie"] ?? []).map((line) => line.split("=")[0]);
        assert.equal(names.filter((name) => name === "portier-signed-in").length, isSuccess ? 1 : 0, names.join());
        assert.equal(new Set(names).size, names.length, "each once");
        if (what.includes("cookie") || status === 409) assert.ok(names.includes("own"), names.join());
        const again = await site.finish(visitor, form);
        assert.deepEqual([again.status, again.headers.location], isSuccess ? [303, "/members"] : [400, undefined]);
        assert.deepEqual(site.errors, []);
      });
    }
  }

  const LATE = {
    "redirects": (response) => response.redirect("/late"),
    "sends": (response) => response.code?.(201).send("TOO LATE") ?? response.status(201).send("TOO LATE"),
    "sends JSON": (response) => (isExpress ? response.json({ say: "TOO LATE" }) : response.send({ say: "TOO LATE" })),
    "sets a header": (response) => isExpress && response.set("x-late", "1").end(),
    "writes to the server's response": (response) => raw(response).writeHead(202) && raw(response).end("TOO LATE"),
  };
  for (const [what, answer] of Object.entries(LATE)) {
    for (const hook of ["onLogin", "onLoginError", "showProblem", "showConfirmation"]) {
      if (what === "sets a header" && !isExpress) continue;
      test(`a late answer of a hook causes a warning, and the process continues: ${hook} ${what}`, async (t) => {
        const warned = listen(t);
        const late = deferred();
        const site = await here.serve(t, {
          [hook](_, request, response) {
            // After the hook has returned, the answer comes in the same turn of the event loop.
            setImmediate(() => {
              try {
                answer(response);
                late.resolve();
              } catch (error) {
                late.reject(error);
              }
            });
          },
        });
        const visitor = new Visitor();
        const acts = {
          onLogin: () => site.logIn({ next: "/members" }, visitor),
          showConfirmation: async () => site.finish(new Visitor(), await site.answer(visitor)),
        };
        const given = await (acts[hook] ?? (() => site.start(visitor, { email: "nobody" })))();
        const expected = { onLogin: 303, showConfirmation: 200 }[hook] ?? 400;
        assert.deepEqual([given.status, given.headers["x-late"]], [expected, undefined]);
        assert.doesNotMatch(given.text, /TOO LATE/);
        await late.promise;
        await soon();
        assert.equal(warned.length, 1);
        assert.match(warned[0].message, new RegExp(`^${hook} called \\w+ when the request had been answered`));
        assert.deepEqual(site.errors, []);
      });
    }
  }

  test("a second answer of a hook causes a warning, and the process continues", async (t) => {
    const warned = listen(t);
    const late = deferred();
    const site = await here.serve(t, {
      onLogin(login, request, response) {
        response.status(201).send("first");
        setImmediate(() => {
          response.redirect("/second");
          late.resolve();
        });
      },
    });
    const done = await site.logIn();
    await late.promise;
    await soon();
    assert.deepEqual([done.status, done.text, warned.length], [201, "first", 1]);
  });

  test("a late answer of a hook that threw causes a warning, and the process continues", async (t) => {
    const warned = listen(t);
    const late = deferred();
    const site = await here.serve(t, {
      onLogin(login, request, response) {
        setImmediate(() => {
          response.redirect("/late");
          late.resolve();
        });
        throw new Error("no");
      },
    });
    const done = await site.logIn();
    await late.promise;
    await soon();
    assert.deepEqual([done.status, done.text, warned.length], [500, "a page of the site", 1]);
  });

  test("a second answer while the first one is being sent causes a warning, and the process continues", async (t) => {
    const warned = listen(t);
    let answerLate = () => {};
    // Like a slow session store.
    const hold = async () => {
      await soon();
      answerLate();
      await soon();
    };
    const site = await here.serve(t, {
      onLogin(login, request, response) {
        answerLate = () => response.redirect("/late");
      },
    }, {
      async first(app) {
        if (!isExpress) app.addHook("onSend", hold);
        else app.use(session({ secret: "x", resave: true, saveUninitialized: true, store: new SlowStore(hold) }));
      },
    });
    const done = await site.logIn({ next: "/members" });
    await soon();
    assert.deepEqual([done.status, done.headers.location], [303, "/members"]);
    assert.equal(warned.length, 1);
    assert.deepEqual(site.errors, []);
  });

  if (isExpress) {
    const SAVES = {
      "that is waited for": [true, 302, "/welcome"],
      "that is not waited for": [false, 303, "/members"],
    };
    for (const [what, [isAwaited, status, location]] of Object.entries(SAVES)) {
      test(`a session may be saved in a callback ${what}`, async (t) => {
        const warned = listen(t);
        const saved = deferred();
        const site = await here.serve(t, {
          onLogin({ email }, request, response) {
            request.session.email = email;
            const answered = new Promise((resolve) => {
              request.session.save(() => {
                response.redirect("/welcome");
                resolve();
                saved.resolve();
              });
            });
            return isAwaited ? answered : undefined;
          },
        }, {
          first: (app) => void app.use(session({ secret: "x", resave: false, saveUninitialized: false, store: new SlowStore(soon) })),
        });
        const visitor = new Visitor();
        const form = await site.answer(visitor, { next: "/members" });
        const done = await site.finish(visitor, form);
        assert.deepEqual([done.status, done.headers.location], [status, location]);
        const names = done.headers["set-cookie"].map((line) => line.split("=")[0]).toSorted();
        assert.deepEqual(names, ["connect.sid", "portier-signed-in"]);
        await saved.promise;
        await soon();
        assert.equal(warned.length, isAwaited ? 0 : 1);
        assert.equal((await site.finish(visitor, form)).headers.location, "/members");
        assert.deepEqual(site.errors, []);
      });
    }
  }
});

/** A promise that other code settles. */
function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** A slow session store. */
class SlowStore extends session.MemoryStore {
  #wait;

  constructor(wait) {
    super();
    this.#wait = wait;
  }

  set(id, record, done) {
    Promise.resolve(this.#wait()).then(() => super.set(id, record, done));
  }
}

/** The warnings about answers that come late. */
function listen(t) {
  const warned = [];
  const listener = (warning) => {
    if (warning.code === "PORTIER_LATE_ANSWER") warned.push(warning);
  };
  process.on("warning", listener);
  t.after(() => process.off("warning", listener));
  return warned;
}
