import { randomBytes } from "node:crypto";

import { after } from "./limit.js";
import { TestedStore, RuleViolation, type StoreToCheck } from "./tested-store.js";

export type { StoreToCheck } from "./tested-store.js";

const ROUNDS = 20;
const CONCURRENT_CALLS = 16;
const LONG_RECORD = 32 * 1024;
const SLOWEST_SECOND_MS = 8000;

const RECORDS: Record<string, string> = {
  "a short record": "x",
  "a record of the usual kind": '{"v":1,"t":1790000000.123,"e":"alice@example.com","s":"/a?b=c"}',
  "quotes, signs and line ends": "'\";--%s{}\\\\ $1 :a\t\r\n  ",
  "a record that reads like a number": "0",
  "a record that reads like a missing one": "null",
  "letters of all scripts": "bj\u00f6rn@b\u00fccher.example \u7530\u4e2d \u{1f511} e\u0301",
  "a record of 32 KiB": "\u00e9".repeat(LONG_RECORD / 2),
};

/** Further stores that {@link checkStore} tests. */
export interface CheckStoreOptions {
  /** Creates a store that is full. */
  full?: (() => StoreToCheck | PromiseLike<StoreToCheck>) | undefined;
  /** Creates a store that cannot be reached. */
  gone?: (() => StoreToCheck | PromiseLike<StoreToCheck>) | undefined;
}

/**
 * Tests whether a store keeps the rules. Rejects with an error that names the first broken rule.
 *
 * `makeStore` creates the store. It is called twice, as in two processes, and both stores may share their
 * records. Records of others are not changed. The test takes a few seconds, because records must expire.
 *
 * ```js
 * await checkStore(() => new MemoryStore());
 * ```
 */
export async function checkStore(
  makeStore: () => StoreToCheck | PromiseLike<StoreToCheck>,
  { full, gone }: CheckStoreOptions = {},
): Promise<void> {
  const subject = new TestedStore(await makeStore(), await makeStore());
  await subject.keeps(givesARecordBackOnce);
  await subject.keeps(knowsNothingOfOtherNonces);
  await subject.keeps(keepsEveryRecordAsItIs);
  await subject.keeps(neverReplacesARecord);
  await subject.keeps(givesARecordToOneOfMany);
  await subject.keeps(keepsOneRecordOfMany);
  await subject.keeps(endsARecordInTime);
  if (full !== undefined) await new TestedStore(await full()).keeps(refusesWhatItHasNoRoomFor);
  if (gone !== undefined) await new TestedStore(await gone()).keeps(saysThatItCannotBeReached);
}

async function givesARecordBackOnce(store: TestedStore): Promise<void> {
  const nonce = newNonce();
  await store.put(nonce, "record");
  await store.holds(nonce, true, "before it is taken");
  await store.holds(nonce, true, "after it was looked for");
  equal(await store.take(nonce), "record", "what was put", "the first take");
  for (const name of ["second", "third"]) {
    noRecord(await store.take(nonce), `the ${name} take`);
  }
  await store.holds(nonce, false, "after it was taken");
}

async function knowsNothingOfOtherNonces(store: TestedStore): Promise<void> {
  const nonce = `Ab-_${newNonce().slice(4)}`;
  await store.put(nonce, "record");
  const swapped = nonce.replaceAll(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
  const others = [swapped, nonce.toLowerCase(), nonce.replaceAll("_", "-"), nonce.slice(0, -1), `${nonce}A`];
  const patterns = ["%".repeat(nonce.length), "_".repeat(nonce.length), "*", "__proto__", newNonce()];
  for (const other of [...others, ...patterns]) {
    await store.holds(other, false, "under another nonce");
    equal(await store.take(other), null, "null", "take of another nonce");
  }
  equal(await store.take(nonce), "record", "what was put", "take of the nonce itself");
}

async function keepsEveryRecordAsItIs(store: TestedStore): Promise<void> {
  for (const [name, record] of Object.entries(RECORDS)) {
    const nonce = newNonce();
    await store.put(nonce, record);
    if ((await store.take(nonce)) !== record) {
      throw new RuleViolation(`take returned a different record than was put, which was ${name}`);
    }
  }
}

async function neverReplacesARecord(store: TestedStore): Promise<void> {
  const nonce = newNonce();
  await store.put(nonce, "first");
  const refused = await store.refusesToPut(nonce, "second");
  equal(await store.take(nonce), "first", "what was put first", "take after a second put");
  if (!refused) throw new RuleViolation("put threw nothing when there was a record already");
}

async function givesARecordToOneOfMany(store: TestedStore): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const nonce = newNonce();
    await store.put(nonce, "record");
    const takers = Array.from({ length: CONCURRENT_CALLS }, (_, number) => (number % 2 === 1 ? store.twin : store));
    const taken = await Promise.all(takers.map((taker) => taker.take(nonce)));
    const winners = taken.filter((record) => (record ?? "") !== "").length;
    if (winners !== 1) {
      throw new RuleViolation(`of ${CONCURRENT_CALLS} concurrent takes ${winners} got the record`);
    }
  }
}

async function keepsOneRecordOfMany(store: TestedStore): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const nonce = newNonce();
    const records = Array.from({ length: CONCURRENT_CALLS }, (_, number) => `record ${number}`);
    const refused = await Promise.all(records.map((record) => store.refusesToPut(nonce, record)));
    const kept = records.filter((_, number) => !refused[number]);
    if (kept.length !== 1) {
      throw new RuleViolation(`of ${CONCURRENT_CALLS} concurrent puts ${kept.length} threw nothing`);
    }
    equal(await store.take(nonce), kept[0], "the record of the successful put", "take");
  }
}

async function endsARecordInTime(store: TestedStore): Promise<void> {
  let second = 1000;
  while (!(await lasts(store, second))) {
    second *= 2;
    if (second > SLOWEST_SECOND_MS) throw new RuleViolation("its methods are too slow for this check");
  }
}

/**
 * Whether the store was fast enough for the result to count. Some stores count in whole seconds: they may end a
 * record one second late, but not early.
 */
async function lasts(store: TestedStore, second: number): Promise<boolean> {
  const started = performance.now();
  const [early, lookedFor, forgotten] = [newNonce(), newNonce(), newNonce()];
  for (const nonce of [early, lookedFor, forgotten]) await store.put(nonce, "record", 1.5 * second);
  const allPut = performance.now();
  await sleepUntil(started + 1.25 * second);
  const found = await store.take(early);
  const inTime = performance.now() < started + 1.5 * second;
  if (inTime && found === null) throw new RuleViolation("a record is gone before its time is up");
  await sleepUntil(allPut + 1.5 * second + 1250);
  await store.holds(lookedFor, false, "when the time of the record was up");
  for (const nonce of [lookedFor, forgotten]) {
    equal(await store.take(nonce), null, "null", "take when the time was up");
  }
  return inTime;
}

async function refusesWhatItHasNoRoomFor(store: TestedStore): Promise<void> {
  const nonce = newNonce();
  if (!(await store.refusesToPut(nonce, "x".repeat(LONG_RECORD)))) {
    throw new RuleViolation("put threw nothing although there was no space");
  }
  equal(await store.take(nonce), null, "null", "take of the refused record");
}

async function saysThatItCannotBeReached(store: TestedStore): Promise<void> {
  const nonce = newNonce();
  if (!(await store.refusesToPut(nonce, "record"))) {
    throw new RuleViolation("put threw nothing when the store could not be reached");
  }
  for (const method of ["take", "contains"] as const) {
    if (store.has(method) && !(await store.throws(method, nonce))) {
      throw new RuleViolation(`${method} threw nothing when the store could not be reached`);
    }
  }
}

function newNonce(): string {
  return randomBytes(32).toString("base64url");
}

function equal(found: unknown, wanted: unknown, name: string, what: string): void {
  if (found === wanted) return;
  const shown = found === null ? "null" : "something else";
  throw new RuleViolation(`${what} returned ${shown} instead of ${name}`);
}

/** An empty text means that the record was taken before. */
function noRecord(found: string | null, what: string): void {
  if ((found ?? "") !== "") throw new RuleViolation(`${what} returned something else instead of null`);
}

async function sleepUntil(moment: number): Promise<void> {
  const left = Math.max(0, moment - performance.now());
  await new Promise<void>((resolve) => after(Math.ceil(left), resolve));
}
