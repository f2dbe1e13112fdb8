// Logins in Redis: through a client that the site has already, and by a URL.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";

import { ConfigError, PortierClient, RedisClientStore, RedisStore, SessionUsed, StoreError } from "portier-client";
import { DevBroker, checkStore } from "portier-client/testing";

import { redisServer } from "./servers.mjs";
import { redirectUri, use } from "./written.mjs";

const require = createRequire(import.meta.url);
const { default: Redis } = require("ioredis");

const broker = new DevBroker();
const [server, full] = await Promise.all([redisServer(), redisServer("--maxmemory", "1")]);
const skip = server === undefined && "there is no redis-server here";
const nobody = `${server?.socket}.nobody`;

/** Clients of each package, connected to a socket, and how to end them. */
const CLIENTS = {
  "redis 5": nodeRedis("redis"),
  "redis 4": nodeRedis("redis-v4"),
  "redis 3": async (path) => {
    const client = require("redis-v3").createClient({ path, retry_strategy: () => undefined });
    client.on("error", () => {});
    return [client, () => client.end(false)];
  },
  ioredis: async (path) => {
    const client = new Redis({ path, retryStrategy: null, maxRetriesPerRequest: 0 });
    client.on("error", () => {});
    return [client, () => client.disconnect()];
  },
};

function nodeRedis(name) {
  return async (path) => {
    const client = require(name).createClient({ socket: { path, reconnectStrategy: false } });
    client.on("error", () => {});
    await client.connect().catch(() => {});
    return [client, () => (client.isOpen ? client.disconnect() : undefined)];
  };
}

const ends = [];
after(async () => {
  for (const end of ends) await end();
  await Promise.all([server?.stop(), full?.stop()]);
  broker.stop();
});

async function clientOf(kind, path) {
  const [client, end] = await CLIENTS[kind](path);
  ends.push(end);
  return client;
}

const site = (store, options) => new PortierClient({ redirectUri, broker: broker.origin, store, ...options });

for (const kind of Object.keys(CLIENTS)) {
  describe(kind, { skip }, () => {
    test("nst_31 the store keeps the rules", async () => {
      const made = await Promise.all([server.socket, full.socket, nobody].map((path) => clientOf(kind, path)));
      const [here, noRoom, gone] = made.map((client) => new RedisClientStore(client));
      await checkStore(() => here, { full: () => noRoom, gone: () => gone });
    });

    test("a login", async () => {
      const client = await clientOf(kind, server.socket);
      const store = new RedisClientStore(client, { prefix: `${kind}:` });
      for (const cold of [false, true]) await use(store, broker, { cold });
      await site(store, { sessionTtlMs: 90_000 }).authenticate("alice@example.com");
      const watcher = await clientOf("ioredis", server.socket);
      // The others are marks of the logins that were completed.
      const names = await watcher.keys(`${kind}:*`);
      const lengths = await Promise.all(names.map((name) => watcher.strlen(name)));
      const [name] = names.filter((_, index) => lengths[index] > 0);
      assert.match(name.slice(kind.length), /^:session:[\w-]{43}$/);
      const left = await watcher.pttl(name);
      assert.ok(left > 80_000 && left <= 90_000, `left=${left}`);
    });

    test("a URL with the same prefix names the same logins", async () => {
      const ours = site(new RedisClientStore(await clientOf(kind, server.socket), { prefix: "both:" }));
      const theirs = site(`redis+unix://${server.socket}?prefix=both:`);
      for (const [one, other] of [[ours, theirs], [theirs, ours]]) {
        const token = broker.mint({ url: await one.authenticate("alice@example.com") });
        assert.equal(await other.verify(token), "alice@example.com");
        for (const again of [one, other, one]) await assert.rejects(again.verify(token), SessionUsed);
      }
    });

    test("a RedisStore takes the client that portier's takes", async () => {
      const store = new RedisStore(await clientOf(kind, server.socket));
      assert.ok(store instanceof RedisStore);
      for (const cold of [false, true]) await use(store, broker, { cold });
      store.destroy();
    });

    test("nst_05 a server that is gone is a store error", async () => {
      const client = site(new RedisClientStore(await clientOf(kind, nobody)));
      await assert.rejects(client.authenticate("alice@example.com"), (error) => {
        assert.ok(error instanceof StoreError);
        assert.equal(error.code, "store_unavailable");
        assert.match(error.message, /^the redis client raised an exception type=\w+$/);
        assert.ok(error.cause instanceof Error);
        return true;
      });
    });

    test("nst_10 a server without memory is a full store", async () => {
      const client = site(new RedisClientStore(await clientOf(kind, full.socket)));
      await assert.rejects(client.authenticate("alice@example.com"), (error) => {
        assert.equal(error.code, "store_full");
        assert.match(error.cause.message, /^OOM /);
        return true;
      });
    });

    test("nst_10 a login completes once when the server has no memory left", async () => {
      const small = await redisServer();
      ends.push(() => small.stop());
      const client = site(new RedisClientStore(await clientOf(kind, small.socket)));
      const token = broker.mint({ url: await client.authenticate("alice@example.com") });
      await (await clientOf("ioredis", small.socket)).config("SET", "maxmemory", "1");
      assert.equal(await client.verify(token), "alice@example.com");
      await assert.rejects(client.verify(token), { code: "session_unknown" });
    });
  });
}

test("nst_31 a store by URL keeps the rules", { skip }, async () => {
  await checkStore(() => new RedisStore(`redis+unix://${server.socket}`), {
    full: () => new RedisStore(`redis+unix://${full.socket}`),
    gone: () => new RedisStore(`redis+unix://${nobody}`),
  });
});

test("what is no client of Redis is refused", () => {
  for (const wrong of [{}, null, "redis://localhost", new Map(), { get() {}, set() {} }]) {
    assert.throws(() => new RedisClientStore(wrong), ConfigError);
  }
});

test("what is printed shows no server", { skip }, async () => {
  const client = await clientOf("ioredis", server.socket);
  assert.equal(inspect(new RedisClientStore(client)), "RedisClientStore { prefix: 'portier:' }");
  assert.equal(inspect(new RedisStore(client)), "RedisStore {}");
  assert.equal(JSON.stringify(new RedisClientStore(client)), "{}");
});
