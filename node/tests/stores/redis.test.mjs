// Logins in Redis, through a Redis client of the site, and by URL.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";

import { ConfigError, PortierClient, RedisClientStore, RedisStore, SessionUsed, StoreError } from "portier-client";
import { DevBroker, checkStore } from "portier-client/testing";

import { redisServer } from "./servers.mjs";
import { redirectUri, use } from "./custom.mjs";

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
    test("the store passes checkStore", async () => {
      const made = await Promise.all([server.socket, full.socket, nobody].map((path) => clientOf(kind, path)));
      const [here, noRoom, gone] = made.map((client) => new RedisClientStore(client));
      await checkStore(() => here, { full: () => noRoom, gone: () => gone });
    });

    test("a login completes", async () => {
      const client = await clientOf(kind, server.socket);
      const store = new RedisClientStore(client, { prefix: `${kind}:` });
      for (const cold of [false, true]) await use(store, broker, { cold });
      await site(store, { sessionTtlMs: 90_000 }).authenticate("alice@example.com");
      const watcher = await clientOf("ioredis", server.socket);
      // The other keys are marks of completed logins.
      const names = await watcher.keys(`${kind}:*`);
      const lengths = await Promise.all(names.map((name) => watcher.strlen(name)));
      const [name] = names.filter((_, index) => lengths[index] > 0);
      assert.match(name.slice(kind.length), /^:session:[\w-]{43}$/);
      const left = await watcher.pttl(name);
      assert.ok(left > 80_000 && left <= 90_000, `left=${left}`);
    });

    test("a Redis URL with the same prefix shares its logins", async () => {
      const ours = site(new RedisClientStore(await clientOf(kind, server.socket), { prefix: "both:" }));
      const theirs = site(`redis+unix://${server.socket}?prefix=both:`);
      for (const [one, other] of [[ours, theirs], [theirs, ours]]) {
        const token = broker.mint({ url: await one.authenticate("alice@example.com") });
        assert.equal(await other.verify(token), "alice@example.com");
        for (const again of [one, other, one]) await assert.rejects(again.verify(token), SessionUsed);
      }
    });

    test("a RedisStore accepts the clients that npm portier accepts", async () => {
      const store = new RedisStore(await clientOf(kind, server.socket));
      assert.ok(store instanceof RedisStore);
      for (const cold of [false, true]) await use(store, broker, { cold });
      store.destroy();
    });

    test("an unreachable server is a store error", async () => {
      const client = site(new RedisClientStore(await clientOf(kind, nobody)));
      await assert.rejects(client.authenticate("alice@example.com"), (error) => {
        assert.ok(error instanceof StoreError);
        assert.equal(error.code, "store_unavailable");
        assert.match(error.message, /^the redis client raised an exception type=\w+$/);
        assert.ok(error.cause instanceof Error);
        return true;
      });
    });

    test("a server without memory is a full store", async () => {
      const client = site(new RedisClientStore(await clientOf(kind, full.socket)));
      await assert.rejects(client.authenticate("alice@example.com"), (error) => {
        assert.equal(error.code, "store_full");
        assert.match(error.cause.message, /^OOM /);
        return true;
      });
    });

    test("a pending login completes once on a server without memory", async () => {
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

test("a URL may have the scheme valkey", () => {
  for (const url of ["valkey://localhost/0", "valkeys://localhost", "valkey+sentinel://localhost/service"]) {
    assert.ok(new RedisStore(url) instanceof RedisStore);
    assert.ok(new PortierClient({ redirectUri, store: url }));
  }
});

test("an unknown URL parameter is named in the error", () => {
  for (const [query, name] of [
    ["ssl_certfile=/etc/client.pem", "ssl_certfile"],
    ["tls=none", "tls"],
    ["prefix=a:&prefix=b:", "prefix"],
  ]) {
    assert.throws(() => new RedisStore(`rediss://:secret@localhost?${query}`), (error) => {
      assert.equal(error.code, "invalid_option");
      assert.match(error.message, new RegExp(` parameter=${name}$`));
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
});

test("a store by URL passes checkStore", { skip }, async () => {
  await checkStore(() => new RedisStore(`redis+unix://${server.socket}`), {
    full: () => new RedisStore(`redis+unix://${full.socket}`),
    gone: () => new RedisStore(`redis+unix://${nobody}`),
  });
});

test("a value that is no Redis client is refused by name", () => {
  for (const [wrong, given] of [
    [{}, "Object"],
    [null, "null"],
    ["redis://localhost", "string"],
    [new Map(), "Map"],
    [{ get() {}, set() {} }, "Object"],
    [require("redis").createClient, "Function"],
  ]) {
    assert.throws(() => new RedisClientStore(wrong), {
      code: "invalid_option",
      message: `client is not a client of the package redis or of ioredis given=${given}`,
    });
  }
  assert.throws(() => new RedisClientStore(Promise.resolve()), {
    code: "invalid_option",
    message: "client is a promise; await it first given=Promise",
  });
});

test("a client without promises is refused with advice", { skip }, async () => {
  const socket = { path: server.socket, reconnectStrategy: false };
  const old = require("redis-v4").createClient({ socket, legacyMode: true });
  const current = require("redis").createClient({ socket });
  for (const client of [old, current]) {
    client.on("error", () => {});
    await client.connect();
    ends.push(() => client.disconnect());
  }
  for (const [legacy, advice] of [
    [old, /^client is in legacyMode, .*; give its member v4 given=/],
    [current.legacy(), /^client is a legacy client, .*; give the client that made it given=/],
    [current.legacy().multi(), /give the client that made it given=/],
  ]) {
    for (const Class of [RedisClientStore, RedisStore]) {
      assert.throws(() => new Class(legacy), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.code, "invalid_option");
        assert.match(error.message, advice);
        return true;
      });
    }
  }
  // The client that the message suggests works.
  for (const [client, prefix] of [[old.v4, "v4:"], [current, "v5:"]]) {
    await use(new RedisClientStore(client, { prefix }), broker, { cold: false });
  }
});

test("a transaction, a pipeline and a client that has subscribed are refused", { skip }, async () => {
  const ioredis = await clientOf("ioredis", server.socket);
  const made = [ioredis.multi(), ioredis.pipeline()];
  for (const kind of ["redis 5", "redis 4", "redis 3"]) made.push((await clientOf(kind, server.socket)).multi());
  for (const wrong of made) {
    const message = /^client is a transaction or a pipeline; give the client that made it given=\w+$/;
    assert.throws(() => new RedisClientStore(wrong), { code: "invalid_option", message });
  }
  for (const kind of Object.keys(CLIENTS)) {
    const client = await clientOf(kind, server.socket);
    const subscribed = client.subscribe("channel", () => {});
    await (kind === "redis 3" ? new Promise((resolve) => client.on("subscribe", resolve)) : subscribed);
    const message = /^client has subscribed, .* given=\w+$/;
    assert.throws(() => new RedisClientStore(client), { code: "invalid_option", message }, kind);
  }
});

test("a client may connect after the store is made", { skip }, async () => {
  for (const name of ["redis", "redis-v4"]) {
    const client = require(name).createClient({ socket: { path: server.socket, reconnectStrategy: false } });
    client.on("error", () => {});
    const store = new RedisClientStore(client, { prefix: `later ${name}:` });
    await assert.rejects(site(store).authenticate("alice@example.com"), { code: "store_unavailable" });
    await client.connect();
    await use(store, broker, { cold: false });
    await client.disconnect();
    await assert.rejects(site(store).authenticate("alice@example.com"), { code: "store_unavailable" });
  }
});

test("clients with key prefixes, pools or byte replies are accepted", { skip }, async () => {
  const { createClient, createClientPool, RESP_TYPES } = require("redis");
  const socket = { path: server.socket, reconnectStrategy: false };
  const pool = await createClientPool({ socket }).connect();
  ends.push(() => pool.close());
  const third = await createClient({ socket, RESP: 3 }).connect();
  ends.push(() => third.destroy());
  await third.subscribe("channel", () => {});
  const bytes = third.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer });
  const prefixed = new Redis({ path: server.socket, keyPrefix: "ours:" });
  ends.push(() => prefixed.disconnect());
  const buffers = require("redis-v3").createClient({ path: server.socket, return_buffers: true });
  ends.push(() => buffers.end(false));
  const Mock = require("ioredis-mock");
  for (const [name, client] of Object.entries({ pool, third, bytes, prefixed, buffers, mock: new Mock() })) {
    const store = new RedisClientStore(client, { prefix: `${name}:` });
    for (const cold of [false, true]) await use(store, broker, { cold });
  }
});

test("clients of clusters and Sentinels are accepted", () => {
  const node = { host: "127.0.0.1", port: 1 };
  const { createCluster, createSentinel } = require("redis");
  const clients = [
    createCluster({ rootNodes: [{ socket: node }] }),
    require("redis-v4").createCluster({ rootNodes: [{ socket: node }] }),
    createSentinel({ name: "main", sentinelRootNodes: [node] }),
    new Redis.Cluster([node], { lazyConnect: true }),
    new Redis({ sentinels: [node], name: "main", lazyConnect: true }),
  ];
  for (const client of clients) assert.ok(new RedisClientStore(client));
});

test("a value longer than the limit is not fetched", { skip }, async () => {
  const watcher = await clientOf("ioredis", server.socket);
  await watcher.setrange("portier:session:huge", 200_000_000, "x");
  const before = process.resourceUsage().maxRSS;
  for (const kind of Object.keys(CLIENTS)) {
    const store = new RedisClientStore(await clientOf(kind, server.socket));
    await assert.rejects(store.take("huge"), {
      code: "store_failed",
      message: "redis holds a value that is too long to be a record",
    });
  }
  assert.ok(process.resourceUsage().maxRSS - before < 100_000);
  await watcher.del("portier:session:huge");
});

test("an unexpected reply is an error and not shown", async () => {
  const replies = { strlen: 1, set: "OK", take: "record" };
  const odd = (changed) => {
    const given = { ...replies, ...changed };
    return {
      strlen: async () => given.strlen,
      getdel: async () => null,
      set: async (...parameters) => (parameters.includes("XX") ? given.take : given.set),
    };
  };
  for (const [method, changed, message] of [
    ["put", { set: null }, /^a login is pending under this nonce already$/],
    ["put", { set: undefined }, /command=SET type=undefined$/],
    ["put", { set: "QUEUED" }, /command=SET type=string$/],
    ["take", { take: undefined }, /command=SET type=undefined$/],
    ["take", { take: Buffer.from("secret\xff", "latin1") }, /command=SET type=Buffer$/],
    ["take", { take: { secret: 1 } }, /command=SET type=Object$/],
    ["take", { strlen: undefined }, /command=STRLEN type=undefined$/],
    ["contains", { strlen: "" }, /command=STRLEN type=string$/],
    ["contains", { strlen: true }, /command=STRLEN type=boolean$/],
  ]) {
    await assert.rejects(new RedisClientStore(odd(changed))[method]("nonce", "record", 1000), (error) => {
      assert.equal(error.code, "store_failed");
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
  const store = new RedisClientStore(odd({ take: new Uint8Array([0xc3, 0xa9]), strlen: 2n }));
  assert.equal(await store.take("nonce"), "\u00e9");
  assert.equal(await store.contains("nonce"), true);
});

test("a printed store shows no server", { skip }, async () => {
  const client = await clientOf("ioredis", server.socket);
  assert.equal(inspect(new RedisClientStore(client)), "RedisClientStore { prefix: 'portier:' }");
  assert.equal(inspect(new RedisStore(client)), "RedisStore {}");
  assert.equal(JSON.stringify(new RedisClientStore(client)), "{}");
});
