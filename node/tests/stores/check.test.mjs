// `checkStore`, and its messages for stores that break a rule.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, mock, test } from "node:test";

import { MemoryStore, PortierClient, SqliteStore, StoreError } from "portier-client";
import { DevBroker, checkStore } from "portier-client/testing";

import { Plain, Waiting } from "./custom.mjs";

/** A correct store. */
class Good {
  entries = new Map();

  put(nonce, record, ttlMs) {
    if (this.contains(nonce)) throw new Error("there is one");
    this.entries.set(nonce, { record, deadline: performance.now() + ttlMs });
  }

  take(nonce) {
    const record = this.contains(nonce) ? this.entries.get(nonce).record : null;
    this.entries.delete(nonce);
    return record;
  }

  contains(nonce) {
    return (this.entries.get(nonce)?.deadline ?? -Infinity) > performance.now();
  }
}

const turn = () => new Promise(setImmediate);
const unreachable = () => {
  throw new StoreError("gone", { code: "store_unavailable" });
};
const gone = () => ({ put: unreachable, take: unreachable, contains: unreachable });

describe("checkStore accepts correct stores", { concurrency: true }, () => {
  test("a custom store", () => checkStore(() => new Good()));
  test("a store returned by a promise", () => checkStore(async () => new Good()));
  test("a store with asynchronous methods", () => {
    const good = new Good();
    const late = (method) => async (...given) => {
      await turn();
      return good[method](...given);
    };
    const full = () => ({ put: unreachable, take: () => null });
    return checkStore(() => ({ put: late("put"), take: late("take") }), { full, gone });
  });
  test("a store by URL", async (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), "portier-sqlite-"));
    context.after(() => rmSync(folder, { recursive: true }));
    await checkStore(() => new SqliteStore(`sqlite:///${folder}/logins.db`));
  });
  test("a memory store", () => {
    const full = async () => {
      const store = new MemoryStore({ capacity: 1 });
      const broker = new DevBroker();
      const client = new PortierClient({ redirectUri: "https://example.com/", broker: broker.origin, store });
      await client.authenticate("alice@example.com");
      broker.stop();
      return store;
    };
    return checkStore(() => new MemoryStore(), { full });
  });
});

// Each store breaks one rule.
const BROKEN = {
  "takes in two steps": [
    class extends Good {
      async take(nonce) {
        const record = this.contains(nonce) ? this.entries.get(nonce).record : null;
        await turn();
        this.entries.delete(nonce);
        return record;
      }
    },
    /gives a record to one of many; of 16 concurrent takes \d+ got the record/,
  ],
  "never expires": [Plain, /ends a record in time; contains returned true when the time of the record was up/],
  "never expires, with promises": [Waiting, /ends a record in time/],
  "expires too early": [
    class extends Good {
      put(nonce, record, ttlMs) {
        super.put(nonce, record, ttlMs / 2);
      }
    },
    /ends a record in time; a record is gone before its time is up/,
  ],
  "replaces a record": [
    class extends Good {
      put(nonce, record, ttlMs) {
        this.entries.delete(nonce);
        super.put(nonce, record, ttlMs);
      }
    },
    /never replaces a record; take after a second put returned something else/,
  ],
  "says nothing of a record that is there": [
    class extends Good {
      put(...given) {
        if (!this.contains(given[0])) super.put(...given);
      }
    },
    /never replaces a record; put threw nothing/,
  ],
  "looks before it puts": [
    class extends Good {
      async put(...given) {
        if (this.contains(given[0])) throw new Error("there is one");
        await turn();
        this.entries.delete(given[0]);
        super.put(...given);
      }
    },
    /keeps one record of many; of 16 concurrent puts \d+ threw nothing/,
  ],
  "gives a record twice": [
    class extends Good {
      take(nonce) {
        return this.contains(nonce) ? this.entries.get(nonce).record : null;
      }
    },
    /gives a record back once; the second take returned something else instead of null/,
  ],
  "remembers for itself alone what was taken": [
    class extends Good {
      static records = new Map();
      put(nonce, record, ttlMs) {
        super.put(nonce, record, ttlMs);
        this.constructor.records.set(nonce, record);
      }
      take(nonce) {
        if (this.taken?.has(nonce)) return null;
        this.taken = new Set(this.taken).add(nonce);
        super.take(nonce);
        return this.constructor.records.get(nonce) ?? null;
      }
    },
    /gives a record to one of many; of 16 concurrent takes 2 got the record/,
  ],
  "does not tell nonces apart": [
    class extends Good {
      put(nonce, ...given) {
        super.put(nonce.toLowerCase(), ...given);
      }
      take(nonce) {
        return super.take(nonce.toLowerCase());
      }
      contains(nonce) {
        return super.contains(nonce.toLowerCase());
      }
    },
    /knows nothing of other nonces; /,
  ],
  "cuts records": [
    class extends Good {
      put(nonce, record, ttlMs) {
        super.put(nonce, record.slice(0, 1000), ttlMs);
      }
    },
    /keeps every record as it is; take returned a different record than was put, which was a record of 32 KiB/,
  ],
  "returns what it did": [
    class extends Good {
      put(...given) {
        super.put(...given);
        return "OK";
      }
    },
    /gives a record back once; put returned string instead of undefined/,
  ],
  "returns bytes": [
    class extends Good {
      take(nonce) {
        const record = super.take(nonce);
        return record && Buffer.from(record);
      }
    },
    /gives a record back once; take returned Buffer instead of a string/,
  ],
  "answers with a number": [
    class extends Good {
      contains(nonce) {
        return Number(super.contains(nonce));
      }
    },
    /gives a record back once; contains returned number instead of a boolean/,
  ],
  "never answers": [
    class extends Good {
      take() {
        return new Promise(() => {});
      }
    },
    /gives a record back once; take did not answer within 5 seconds/,
  ],
};

describe("checkStore finds each broken rule", { concurrency: true }, () => {
  for (const [name, [Store, message]] of Object.entries(BROKEN)) {
    test(name, () => assert.rejects(checkStore(() => new Store()), { name: "Error", message }));
  }

  test("the error of a store is the cause", async () => {
    const cause = new RangeError("no");
    const store = Object.assign(new Good(), { take: () => Promise.reject(cause) });
    const message = "the store breaks a rule: gives a record back once; take threw RangeError";
    await assert.rejects(checkStore(() => store), { message, cause });
  });

  test("a full or unavailable store that throws nothing", async () => {
    const silent = () => ({ put() {}, take: () => null });
    await assert.rejects(checkStore(() => new Good(), { full: silent }), { message: /no room/ });
    await assert.rejects(checkStore(() => new Good(), { gone: silent }), { message: /could not be reached/ });
  });
});

test("records expire while the timers of the test are fake", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    await checkStore(() => new Good());
  } finally {
    mock.timers.reset();
  }
});
