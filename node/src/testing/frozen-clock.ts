import type { DevBroker } from "./broker.js";
import { failure } from "./failure.js";
import { running } from "./running.js";

/** The fake timers of a test runner: `vi`, `jest`, or `mock.timers` of `node:test`. */
export type FakeTimers = { advanceTimersByTime(milliseconds: number): unknown } | { tick(milliseconds: number): unknown };

/** The options of {@link freezeTime}. */
export interface FreezeOptions {
  /** The broker whose clients stand still; by default every development broker that runs in this process. */
  broker?: DevBroker | undefined;
  /** Fake timers that are enabled already, to move together with this clock. */
  timers?: FakeTimers | undefined;
}

/**
 * Stops the time of the development brokers of this process, and of every client that uses one of them: pending logins,
 * tokens, sessions and caches get older only by {@link FrozenClock.tick}.
 *
 * `Date` and timers are those of your test runner. Enable its fake timers first, and pass them as `timers`:
 *
 * ```js
 * vi.useFakeTimers();
 * const clock = freezeTime(Date.now(), { timers: vi });
 * clock.tick(3_600_000);
 * clock.resume();
 * ```
 */
export function freezeTime(at: number | Date = Date.now(), { broker, timers }: FreezeOptions = {}): FrozenClock {
  const brokers = broker === undefined ? running.all() : [broker];
  if (brokers.length === 0) throw failure("no development broker runs in this process; start it first, with new DevBroker()");
  return new FrozenClock(brokers, Number(at), timers);
}

/** A clock that stands still until a test moves it. */
export class FrozenClock {
  readonly #brokers: readonly DevBroker[];
  readonly #timers: FakeTimers | undefined;

  /** @internal */
  constructor(brokers: readonly DevBroker[], now: number, timers: FakeTimers | undefined) {
    this.#brokers = brokers;
    this.#timers = timers;
    for (const broker of brokers) broker.freezeTime(now);
  }

  /** The time, in milliseconds since 1970. */
  get now(): number {
    return this.#brokers[0]?.now ?? NaN;
  }

  /** Moves the clock forward, and the fake timers. */
  tick(milliseconds: number): void {
    for (const broker of this.#brokers) broker.advanceTime(milliseconds);
    const timers = this.#timers;
    if (timers === undefined) return;
    if ("advanceTimersByTime" in timers) timers.advanceTimersByTime(milliseconds);
    else timers.tick(milliseconds);
  }

  /** Returns to the time of this machine. The fake timers stay as they are. */
  resume(): void {
    for (const broker of this.#brokers) broker.resumeTime();
  }

  [Symbol.dispose](): void {
    this.resume();
  }
}
