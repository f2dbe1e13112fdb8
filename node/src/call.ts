import { completionOf } from "./completions.js";
import { invalidOption } from "./errors.js";
import { followSubscribers, publishEvents } from "./events.js";
import { native, type Cancellation, type Failure, type NativeClient, type Outcome } from "./native.js";
import { toError } from "./to-error.js";

/**
 * Runs an operation of the addon. Most operations have ended when `start` returns. Only one that has to wait
 * gives a promise, and can be aborted by `signal`. `store` is referenced until the operation ends.
 */
export function call<T>(
  signal: unknown,
  store: object,
  start: (cancellation: Cancellation | undefined) => Outcome<T>,
): T | Promise<T> {
  followSubscribers();
  if (signal !== undefined && signal !== null) return abortable(asSignal(signal), store, start);
  const outcome = start(undefined);
  const pending = isCallId(outcome) ? completionOf<T>(outcome, store) : undefined;
  publishEvents(true);
  return pending === undefined ? unwrap(outcome as T | Failure) : settled(pending);
}

/** The addon's part of a client. Throws if the client was destroyed. */
export function opened(client: NativeClient | undefined): NativeClient {
  if (client === undefined) throw new Error("the client was destroyed");
  return client;
}

/** Returns the value, or throws the error of a failure. */
export function unwrap<T>(outcome: T | Failure): T {
  if (isFailure(outcome)) throw toError(outcome);
  return outcome;
}

async function settled<T>(pending: Promise<T | Failure | null>): Promise<T> {
  const outcome = await pending;
  // It is not null, because nothing cancels it.
  return unwrap(outcome as T | Failure);
}

async function abortable<T>(
  signal: AbortSignal,
  store: object,
  start: (cancellation: Cancellation | undefined) => Outcome<T>,
): Promise<T> {
  if (signal.aborted) throw reasonOf(signal);
  const cancellation = new native.Cancellation();
  const outcome = start(cancellation);
  const pending = isCallId(outcome) ? completionOf<T>(outcome, store) : undefined;
  publishEvents(true);
  if (pending === undefined) return unwrap(outcome as T | Failure);
  const calls = listening(signal);
  calls.add(cancellation);
  // A method of a store may have aborted the signal meanwhile. There is no event for a listener that is added later.
  if (signal.aborted) cancellation.cancel();
  try {
    const settled = await pending;
    // If the operation ended before the signal reached it, its outcome counts.
    if (settled === null) throw reasonOf(signal);
    return unwrap(settled);
  } finally {
    calls.delete(cancellation);
    if (calls.size === 0) forget(signal);
  }
}

/** The calls that wait, by signal. */
const waiting = new WeakMap<AbortSignal, { calls: Set<Cancellation>; abort: () => void }>();

/**
 * The calls that a signal aborts. The signal has one listener for all of them: Node warns of more than ten
 * listeners, and removing one takes time in proportion to their number.
 */
function listening(signal: AbortSignal): Set<Cancellation> {
  const known = waiting.get(signal);
  if (known !== undefined) return known.calls;
  const calls = new Set<Cancellation>();
  const abort = (): void => calls.forEach((cancellation) => cancellation.cancel());
  signal.addEventListener("abort", abort, { once: true });
  waiting.set(signal, { calls, abort });
  return calls;
}

function forget(signal: AbortSignal): void {
  const known = waiting.get(signal);
  if (known !== undefined) signal.removeEventListener("abort", known.abort);
  waiting.delete(signal);
}

/** Early versions of `AbortSignal`, and some other implementations, have no `reason`. */
function reasonOf(signal: AbortSignal): unknown {
  return signal.reason ?? new DOMException("This operation was aborted", "AbortError");
}

/** Checks the members, not the class: the signal may be of another realm. */
function asSignal(value: unknown): AbortSignal {
  const signal = Object(value) as Partial<AbortSignal>;
  if (
    typeof signal.aborted !== "boolean" ||
    typeof signal.addEventListener !== "function" ||
    typeof signal.removeEventListener !== "function"
  ) {
    throw invalidOption("signal is not an AbortSignal");
  }
  return signal as AbortSignal;
}

function isCallId(outcome: unknown): outcome is number {
  return typeof outcome === "number";
}

function isFailure(outcome: unknown): outcome is Failure {
  return typeof outcome === "object" && outcome !== null && Object.hasOwn(outcome, "causes");
}
