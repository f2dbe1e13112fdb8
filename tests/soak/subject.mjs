// Logs in at a steady rate from Node, and reports the results. The counterpart of `subject.py`, which describes the
// lines of output.
//
//   subject.mjs SETTINGS
import { createRequire } from "node:module";
import { connect } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { setImmediate as soon, setTimeout as pause } from "node:timers/promises";

const require = createRequire(path.resolve(import.meta.dirname, "../../node/package.json"));
const { PortierClient, PortierError } = require("portier-client");

const REDIRECT_URI = "https://example.com/verify";
// No call takes longer, also on a busy machine. If one does, it hangs.
const PATIENCE_MS = 300_000;
const MOST_AT_ONCE = 300;
// Seconds between two reads of the clock, and the delay that is reported.
const TURN = 0.02;
const LATE = 0.1;
// The number of reports between two full garbage collections.
const COLLECT_EVERY = 10;
const WRONG = {
  malformed: "token_malformed",
  issuer: "token_issuer",
  audience: "token_audience",
  expired: "token_expired",
  stranger: "token_key_unknown",
  signature: "token_signature",
  nonce: "session_unknown",
  address: "session_email",
};
// Per thousand logins.
const KINDS = {
  plain: 790,
  fresh: 40,
  cancelled_start: 20,
  cancelled_end: 30,
  wrong: 60,
  replay: 20,
  race: 20,
  abandoned: 20,
};

const settings = JSON.parse(process.argv[2]);
const random = generator(settings.seed);

/** A call that ended in an unexpected way. */
class Odd extends Error {
  constructor(about) {
    super(about.code);
    this.about = about;
  }
}

/** Gets tokens from the broker, like a person who opens the mail. */
class Mint {
  #socket;
  #asked = [];

  token(url, how) {
    if (this.#socket === undefined || this.#socket.destroyed) this.#connect();
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      this.#socket.write(`${JSON.stringify({ url, how })}\n`);
    });
  }

  #connect() {
    const asked = (this.#asked = []);
    const socket = (this.#socket = connect(settings.mint_port, "127.0.0.1"));
    socket.on("error", () => {});
    socket.on("close", () => {
      for (const { reject } of asked) reject(new Odd({ step: "token", code: "no_token" }));
    });
    createInterface(socket)
      .on("line", (line) => asked.shift().resolve(JSON.parse(line)))
      .on("error", () => {});
  }

  close() {
    this.#socket?.destroy();
  }
}

const mint = new Mint();
const kept = { memory: newClient("memory", "memory"), redis: newClient("redis", "redis") };

function newClient(store, name) {
  return new PortierClient({
    redirectUri: REDIRECT_URI,
    broker: settings.broker,
    store: store === "redis" ? settings.redis : "memory:",
    algorithms: ["EdDSA", "RS256"],
    sessionTtlMs: settings.session_ttl * 1000,
    timeoutMs: settings.timeout * 1000,
    userAgent: `node/${name}`,
  });
}

/** One login of some kind. Its methods throw `Odd`. */
class Login {
  constructor(number, kind, store) {
    Object.assign(this, { number, kind, store, name: store, client: kept[store] });
    this.email = `person-${number}@example.com`;
    this.session = `/members/${number}`;
    this.begun = this.called = this.signed = now();
  }

  about() {
    const { kind, store, begun, signed, called } = this;
    return { kind, store, client: `node/${this.name}`, begun, signed, called, ended: now() };
  }

  odd(step, code, kind = "") {
    throw new Odd({ step, code, class: kind, ...this.about() });
  }

  run() {
    return this[this.kind]();
  }

  async plain() {
    await this.complete(await this.token(await this.start()));
  }

  async fresh() {
    this.name = `fresh-${this.number}`;
    this.client = newClient(this.store, this.name);
    try {
      await this.plain();
    } finally {
      this.client.destroy();
    }
  }

  async cancelled_start() {
    const controller = new AbortController();
    const starting = this.call("start", this.authenticate(controller.signal), [], controller.signal);
    await this.someTime(starting);
    controller.abort();
    const url = await starting;
    if (url !== CANCELLED) await this.complete(await this.token(url));
  }

  async cancelled_end() {
    const token = await this.token(await this.start());
    const controller = new AbortController();
    const completing = this.outcome("cancelled", token, [], controller.signal);
    await this.someTime(completing);
    controller.abort();
    const first = await completing;
    const second = await this.outcome("again", token);
    const meant = ["cancelled, success", "cancelled, session_used", "success, session_used"];
    if (!meant.includes(`${first}, ${second}`)) {
      this.odd("again", first === second ? "success" : `${first}, ${second}`);
    }
  }

  async wrong() {
    const how = any(Object.keys(WRONG));
    const url = await this.start();
    const wrong = await this.token(url, how);
    const outcome = await this.outcome("wrong", wrong, [WRONG[how]]);
    if (outcome !== WRONG[how]) this.odd(how, outcome);
    // The login is still pending, unless the broker signed another address.
    const right = await this.token(url);
    if (how !== "address") return this.complete(right);
    const after = await this.outcome("after", right);
    if (after !== "session_used") this.odd("after", after);
  }

  async replay() {
    const token = await this.token(await this.start());
    await this.complete(token);
    const outcome = await this.outcome("replay", token);
    if (outcome !== "session_used") this.odd("replay", outcome);
  }

  async race() {
    const token = await this.token(await this.start());
    const racing = [1, 2, 3].map(() => this.outcome("race", token));
    const settled = await Promise.allSettled(racing);
    const successes = settled.filter(({ value }) => value === "success").length;
    if (successes > 1) this.odd("race", "success");
    for (const { reason } of settled) if (reason !== undefined) throw reason;
    if (successes === 0) this.odd("race", "nobody");
  }

  async abandoned() {
    await this.start();
  }

  start() {
    return this.call("start", this.authenticate());
  }

  authenticate(signal) {
    return this.client.authenticate(this.email, { session: this.session, signal });
  }

  async token(url, how = "right") {
    // Some people are slow.
    if (random() < 0.02) await pause(random() * 3000);
    this.called = now();
    try {
      const { token, at } = await inTime(mint.token(url, how));
      this.signed = at;
      return token;
    } catch (error) {
      if (error === HANGS) this.odd("token", "hang");
      throw new Odd({ ...this.about(), ...error.about });
    }
  }

  async complete(token) {
    const pending = this.client.complete({ id_token: token, state: "" });
    const { email, session } = await this.call("complete", pending);
    if (email !== this.email || session !== this.session) this.odd("complete", "mixed_up");
  }

  /** `success`, `cancelled`, or one of the expected codes. */
  async outcome(step, token, more = [], signal) {
    const known = ["session_used", ...more];
    try {
      const pending = this.client.complete({ id_token: token }, { signal });
      const result = await this.call(step, pending, known, signal);
      return result === CANCELLED ? "cancelled" : "success";
    } catch (error) {
      if (error instanceof PortierError) return error.code;
      throw error;
    }
  }

  async call(step, pending, known = [], signal) {
    this.called = now();
    try {
      return await inTime(pending);
    } catch (error) {
      if (error === HANGS) this.odd(step, "hang");
      if (signal?.aborted && error === signal.reason) return CANCELLED;
      if (!(error instanceof PortierError)) throw error;
      if (error.constructor.name !== settings.classes[error.code]) {
        this.odd(step, "wrong_class", `${error.constructor.name} ${error.code}`);
      }
      if (known.includes(error.code)) throw error;
      this.odd(step, error.code, error.constructor.name);
    }
  }

  async someTime(pending) {
    // It may fail before it is awaited.
    pending.catch(() => {});
    const times = Math.floor(random() * 4);
    for (let turn = 0; turn < times; turn++) await soon();
  }
}

const CANCELLED = Symbol("cancelled");
const HANGS = Symbol("hangs");
const counts = {};
const leaked = [];
let running = 0;
let started = 0;
let finished = 0;

async function inTime(pending) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, PATIENCE_MS, HANGS);
  });
  try {
    return await Promise.race([pending, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function start() {
  started += 1;
  running += 1;
  const [kinds, stores] = [Object.keys(KINDS), Object.keys(kept)];
  // Every kind occurs, also in a short run.
  const first = started <= kinds.length * stores.length;
  const kind = first ? kinds[Math.floor((started - 1) / stores.length)] : weighted(KINDS);
  const store = first ? stores[started % stores.length] : any(stores);
  const login = new Login(started, kind, store);
  if (settings.leak) leaked.push(Buffer.alloc(settings.leak));
  let result = "as meant";
  try {
    await login.run();
  } catch (error) {
    result = "odd";
    const crash = { step: "login", code: "crash", class: String(error?.stack), ...login.about() };
    tell({ odd: error instanceof Odd ? error.about : crash });
  }
  const name = `${store} ${kind}: ${result}`;
  counts[name] = (counts[name] ?? 0) + 1;
  finished += 1;
  running -= 1;
}

/** Sleeps, and reports a long delay: then a time limit may pass without a fault. */
async function turn() {
  const begun = now();
  await pause(TURN * 1000);
  const ended = now();
  if (ended - begun > TURN + LATE) tell({ late: [begun, ended] });
  return ended - begun;
}

function report(more = {}) {
  const { heapUsed, external } = process.memoryUsage();
  tell({ counts, logins: finished, own: { heap_bytes: heapUsed, external_bytes: external }, ...more });
}

function tell(members) {
  process.stdout.write(`${JSON.stringify(members)}\n`);
}

function now() {
  return Number(process.hrtime.bigint()) / 1e9;
}

function any(list) {
  return list[Math.floor(random() * list.length)];
}

function weighted(weights) {
  let left = random() * Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return Object.keys(weights).find((name) => (left -= weights[name]) < 0);
}

/** Numbers from 0 to 1 that are the same at every run: a linear congruential generator. */
function generator(seed) {
  let state = BigInt(seed);
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 32n) / 2 ** 32;
  };
}

for (const client of Object.values(kept)) await client.warm();
tell({ ready: true });
const end = now() + settings.seconds;
let due = 0;
let nextReport = 0;
let reports = 0;
while (now() < end) {
  for (; due >= 1 && running < MOST_AT_ONCE; due -= 1) start();
  if (now() >= nextReport) {
    nextReport = now() + 1;
    if (++reports % COLLECT_EVERY === 0) globalThis.gc();
    report();
  }
  // Missed logins are not made up for: more concurrent logins would need more memory.
  due = Math.min(due, 1) + settings.rate * Math.min(await turn(), 2 * TURN);
}
while (running > 0) await pause(10);
report({ done: true });
for await (const _ of process.stdin);
mint.close();
for (const client of Object.values(kept)) client.destroy();
