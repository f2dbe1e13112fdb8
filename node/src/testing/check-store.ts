import { randomBytes } from "node:crypto";

import { Subject, Broken, type Checked } from "./checked-store.js";

export type { Checked } from "./checked-store.js";

const ROUNDS = 20;
const AT_ONCE = 16;
const MUCH = 32 * 1024;
const SLOWEST_SECOND_MS = 8000;

const RECORDS: Record<string, string> = {
  "a short record": "x",
  "a record of the usual kind": '{"v":1,"t":1790000000.123,"e":"alice@example.com","s":"/a?b=c"}',
  "quotes, signs and line ends": "'\";--%s{}\\\\ $1 :a\t\r\n  ",
  "a record that reads like a number": "0",
  "a record that reads like a missing one": "null",
  "letters of all scripts": "bj\u00f6rn@b\u00fccher.example \u7530\u4e2d \u{1f511} e\u0301",
  "a record of 32 KiB": "\u00e9".repeat(MUCH / 2),
};

/** Optional stores for {@link checkStore}. */
export interface CheckStoreOptions {
  /** Makes a store without space. */
  full?: (() => Checked | PromiseLike<Checked>) | undefined;
  /** Makes a store that cannot be reached. */
  gone?: (() => Checked | PromiseLike<Checked>) | undefined;
}

/**
 * Checks whether a store follows the rules for stores. Rejects with an error that names the broken rule.
 *
 * `makeStore` makes the store. It is called twice, like in two processes, and both stores may share their records.
 * Other records in the store are not touched. The check takes a few seconds, because it waits for records to expire.
 *
 * ```js
 * await checkStore(() => new MemoryStore());
 * ```
 */
export async function checkStore(
  makeStore: () => Checked | PromiseLike<Checked>,
  { full, gone }: CheckStoreOptions = {},
): Promise<void> {
  const subject = new Subject(await makeStore(), await makeStore());
  await subject.keeps(givesARecordBackOnce);
  await subject.keeps(knowsNothingOfOtherNonces);
  await subject.keeps(keepsEveryRecordAsItIs);
  await subject.keeps(neverReplacesARecord);
  await subject.keeps(givesARecordToOneOfMany);
  await subject.keeps(keepsOneRecordOfMany);
  await subject.keeps(endsARecordInTime);
  if (full !== undefined) await new Subject(await full()).keeps(refusesWhatItHasNoRoomFor);
  if (gone !== undefined) await new Subject(await gone()).keeps(saysThatItCannotBeReached);
}

async function givesARecordBackOnce(store: Subject): Promise<void> {
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

async function knowsNothingOfOtherNonces(store: Subject): Promise<void> {
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

async function keepsEveryRecordAsItIs(store: Subject): Promise<void> {
  for (const [name, record] of Object.entries(RECORDS)) {
    const nonce = newNonce();
    await store.put(nonce, record);
    if ((await store.take(nonce)) !== record) {
      throw new Broken(`take returned a different record than was put, which was ${name}`);
    }
  }
}

async function neverReplacesARecord(store: Subject): Promise<void> {
  const nonce = newNonce();
  await store.put(nonce, "first");
  const refused = await store.refusesToPut(nonce, "second");
  equal(await store.take(nonce), "first", "what was put first", "take after a second put");
  if (!refused) throw new Broken("put threw nothing when there was a record already");
}

async function givesARecordToOneOfMany(store: Subject): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const nonce = newNonce();
    await store.put(nonce, "record");
    const takers = Array.from({ length: AT_ONCE }, (_, number) => (number % 2 === 1 ? store.twin : store));
    const taken = await Promise.all(takers.map((taker) => taker.take(nonce)));
    const winners = taken.filter((record) => (record ?? "") !== "").length;
    if (winners !== 1) {
      throw new Broken(`of ${AT_ONCE} takes at the same time ${winners} got the record`);
    }
  }
}

async function keepsOneRecordOfMany(store: Subject): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const nonce = newNonce();
    const records = Array.from({ length: AT_ONCE }, (_, number) => `record ${number}`);
    const refused = await Promise.all(records.map((record) => store.refusesToPut(nonce, record)));
    const kept = records.filter((_, number) => !refused[number]);
    if (kept.length !== 1) {
      throw new Broken(`of ${AT_ONCE} puts at the same time ${kept.length} threw nothing`);
    }
    equal(await store.take(nonce), kept[0], "the record of the put that did", "take");
  }
}

async function endsARecordInTime(store: Subject): Promise<void> {
  let second = 1000;
  while (!(await lasts(store, second))) {
    second *= 2;
    if (second > SLOWEST_SECOND_MS) throw new Broken("its methods are too slow for this check");
  }
}

/**
 * Whether the store was fast enough for the result to count. Some stores count in whole seconds: they may end a
 * record one second late, but not early.
 */
async function lasts(store: Subject, second: number): Promise<boolean> {
  const started = performance.now();
  const [early, lookedFor, forgotten] = [newNonce(), newNonce(), newNonce()];
  for (const nonce of [early, lookedFor, forgotten]) await store.put(nonce, "record", 1.5 * second);
  const allPut = performance.now();
  await sleepUntil(started + 1.25 * second);
  const found = await store.take(early);
  const inTime = performance.now() < started + 1.5 * second;
  if (inTime && found === null) throw new Broken("a record is gone before its time is up");
  await sleepUntil(allPut + 1.5 * second + 1250);
  await store.holds(lookedFor, false, "when the time of the record was up");
  for (const nonce of [lookedFor, forgotten]) {
    equal(await store.take(nonce), null, "null", "take when the time was up");
  }
  return inTime;
}

async function refusesWhatItHasNoRoomFor(store: Subject): Promise<void> {
  const nonce = newNonce();
  if (!(await store.refusesToPut(nonce, "x".repeat(MUCH)))) {
    throw new Broken("put threw nothing when there was no room");
  }
  equal(await store.take(nonce), null, "null", "take of what there was no room for");
}

async function saysThatItCannotBeReached(store: Subject): Promise<void> {
  const nonce = newNonce();
  if (!(await store.refusesToPut(nonce, "record"))) {
    throw new Broken("put threw nothing when the store could not be reached");
  }
  for (const method of ["take", "contains"] as const) {
    if (store.has(method) && !(await store.throws(method, nonce))) {
      throw new Broken(`${method} threw nothing when the store could not be reached`);
    }
  }
}

function newNonce(): string {
  return randomBytes(32).toString("base64url");
}

function equal(found: unknown, wanted: unknown, name: string, what: string): void {
  if (found === wanted) return;
  const shown = found === null ? "null" : "something else";
  throw new Broken(`${what} returned ${shown} instead of ${name}`);
}

/** An empty text means that the record was taken before. */
function noRecord(found: string | null, what: string): void {
  if ((found ?? "") !== "") throw new Broken(`${what} returned something else instead of null`);
}

async function sleepUntil(moment: number): Promise<void> {
  const left = Math.max(0, moment - performance.now());
  await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
}
