// Faulty stores in JavaScript.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { PortierClient, PortierError, StoreError } from "portier-client";
import { DevBroker } from "portier-client/testing";

import { faulty, redirectUri, use } from "./custom.mjs";

const broker = new DevBroker();
after(() => broker.stop());

const METHODS = ["put", "take", "contains"];

async function refusal(method, instead, cold) {
  const refused = await use(faulty(method, instead), broker, { cold }).catch((error) => error);
  assert.ok(refused instanceof StoreError, String(refused));
  assert.ok(refused.retryable);
  return refused;
}

// Each makes a replacement for a method.
const WAYS = {
  throws: (value) => () => {
    throw value;
  },
  rejects: (value) => () => Promise.reject(value),
  "rejects later": (value) => () => new Promise((_, reject) => setImmediate(reject, value)),
  "is a thenable that throws": (value) => () => ({
    then() {
      throw value;
    },
  }),
  "is a thenable with a getter that throws": (value) => () => ({
    get then() {
      throw value;
    },
  }),
  "is a promise with a getter that throws": (value) => () =>
    Object.defineProperty(Promise.resolve(), "constructor", {
      get() {
        throw value;
      },
    }),
};

for (const cold of [false, true]) {
  describe(cold ? "cold" : "warm", () => {
    for (const method of METHODS) {
      for (const [name, way] of Object.entries(WAYS)) {
        if (name.includes("promise")) continue;
        test(`an exception is the cause of a store error method=${method} ${name}`, async () => {
          const original = new RangeError("the secret of the store");
          const error = await refusal(method, way(original), cold);
          assert.equal(error.code, "store_failed");
          assert.equal(error.cause, original);
          assert.equal(error.message, `the store raised an exception method=${method} type=RangeError`);
        });
      }

      test(`any thrown value is the cause method=${method}`, async () => {
        const hostile = new Proxy({}, { get: WAYS.throws(new Error()), has: WAYS.throws(new Error()) });
        for (const thrown of ["text", 1, null, Symbol("odd"), Object.create(null), hostile]) {
          const error = await refusal(method, WAYS.throws(thrown), cold);
          assert.equal(error.code, "store_failed");
          assert.equal(error.cause, thrown);
        }
      });

      test(`a store error is passed on unchanged method=${method}`, async () => {
        class Mine extends StoreError {}
        const original = new Mine("no room", { code: "store_full" });
        for (const way of [WAYS.throws, WAYS.rejects]) {
          assert.equal(await refusal(method, way(original), cold), original);
        }
      });
    }

    const WRONG = {
      put: [true, false, 0, "", null, {}, () => {}, [], new Map()],
      take: [true, false, 0, 1, {}, ["secret"], Buffer.from("secret"), Symbol("secret"), () => {}],
      contains: [undefined, null, 0, 1, "secret", [], new Boolean(true)],
    };
    for (const method of METHODS) {
      test(`a result of a wrong type is refused and not shown method=${method}`, async () => {
        for (const wrong of WRONG[method]) {
          for (const instead of [() => wrong, async () => wrong]) {
            const error = await refusal(method, instead, cold);
            assert.equal(error.code, "store_failed");
            assert.match(error.message, /^the store returned something else than /);
            assert.match(error.message, new RegExp(` method=${method} type=\\w+$`));
            assert.doesNotMatch(error.message, /secret/);
            assert.equal(error.cause, undefined);
          }
        }
      });
    }

    test("a record that is no text is refused", async () => {
      const odd = await refusal("take", () => "secret\udc00", cold);
      assert.equal(odd.message, "the store returned a string with a lone surrogate method=take");
      const other = await refusal("take", async () => "secret", cold);
      assert.equal(other.message, "session record cannot be read");
      assert.equal(other.code, "store_failed");
    });
  });
}

test("a store that never answers fails after five seconds", async () => {
  const started = performance.now();
  const calls = METHODS.flatMap((method) => [true, false].map((cold) => [method, cold]));
  // All at the same time, so that the test takes as long as one of them.
  const errors = await Promise.all(calls.map(([method, cold]) => refusal(method, () => new Promise(() => {}), cold)));
  assert.ok(performance.now() - started >= 4_990);
  assert.deepEqual(
    errors.map(({ code, message }) => [code, message]),
    calls.map(([method]) => ["store_unavailable", `the store did not answer in time method=${method} limit=5s`]),
  );
});

test("storeTimeoutMs sets how long a store may take", async () => {
  const slow = (delay) => () => new Promise((resolve) => setTimeout(resolve, delay));
  const started = performance.now();
  const patient = use(faulty("put", slow(5_500)), broker, { cold: false, storeTimeoutMs: 20_000 });
  const error = await use(faulty("put", slow(5_500)), broker, { cold: false, storeTimeoutMs: 250 }).catch((e) => e);
  assert.ok(performance.now() - started < 5_000);
  assert.equal(error.code, "store_unavailable");
  assert.equal(error.message, "the store did not answer in time method=put limit=0.25s");
  // The record was not stored, but the client waited for it.
  await assert.rejects(patient, { code: "session_unknown" });
  assert.ok(performance.now() - started >= 5_490);
});

test("the range of storeTimeoutMs is checked", () => {
  for (const storeTimeoutMs of [0, -1, NaN, Infinity, 60_001]) {
    assert.throws(() => new PortierClient({ redirectUri, storeTimeoutMs }), {
      code: "invalid_option",
      message: /^store_?[tT]imeout/,
    });
  }
  for (const storeTimeoutMs of ["5000", true, 5n]) {
    assert.throws(() => new PortierClient({ redirectUri, storeTimeoutMs }), {
      code: "invalid_option",
      message: "storeTimeoutMs is not a number of milliseconds",
    });
  }
});

test("a record longer than the limit is refused", async () => {
  for (const cold of [false, true]) {
    const error = await refusal("take", async () => "s".repeat(100_000_000), cold);
    assert.equal(error.code, "store_failed");
    assert.equal(error.message, "the store returned a longer string than any record method=take limit=65536");
  }
});

test("an error with throwing properties is a store error", async () => {
  class Odd extends StoreError {
    get code() {
      throw new Error("not for you");
    }
    set code(_) {}
  }
  const hostile = new Proxy(new StoreError("no room", { code: "store_full" }), {
    get() {
      throw new Error("not for you");
    },
    getPrototypeOf() {
      throw new Error("not for you");
    },
  });
  for (const thrown of [new Odd("no room", { code: "store_full" }), hostile]) {
    for (const way of [WAYS.throws, WAYS.rejects, WAYS["rejects later"]]) {
      const error = await use(faulty("put", way(thrown)), broker, { cold: false }).catch((e) => e);
      assert.ok(error === thrown || error.code === "store_failed");
    }
  }
});

test("only the first result of a thenable counts", async () => {
  const twice = {
    then(resolve, reject) {
      resolve("first");
      resolve("second");
      reject(new Error("third"));
      setImmediate(() => resolve("fourth"));
      throw new Error("fifth");
    },
  };
  const error = await refusal("take", () => twice, false);
  assert.equal(error.message, "session record cannot be read");
});

test("a store with a throwing property is refused when the client is made", () => {
  const cause = new RangeError("not now");
  const store = {
    get put() {
      throw cause;
    },
  };
  assert.throws(() => new PortierClient({ redirectUri, store }), (error) => {
    assert.equal(error.code, "invalid_option");
    assert.equal(error.message, "store has a member that cannot be read type=RangeError");
    assert.equal(error.cause, cause);
    return true;
  });
});

test("no rejection is left unhandled", async () => {
  const unhandled = [];
  const note = (error) => unhandled.push(error);
  process.on("unhandledRejection", note);
  for (const way of Object.values(WAYS)) {
    for (const cold of [true, false]) await use(faulty("put", way(new Error())), broker, { cold }).catch(() => {});
  }
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  process.off("unhandledRejection", note);
  assert.deepEqual(unhandled, []);
});

test("a store error has its code and cause", () => {
  const cause = new Error();
  const error = new StoreError("no room", { code: "store_full", cause });
  assert.ok(error instanceof PortierError);
  assert.deepEqual([error.code, error.retryable, error.cause], ["store_full", true, cause]);
});
