import { AsyncResource } from "node:async_hooks";

// The contexts of the calls that wait, by the ids of the calls.
const contexts = new Map<number, AsyncResource>();

// What belongs to no call that waits, such as a refresh in the background, has the context in which the
// package was loaded.
const ofNoCall = new AsyncResource("PORTIER");

/**
 * Keeps the asynchronous context here for the call with this id, which waits. What happens for the
 * call later, on another thread, is handled in it: so an `AsyncLocalStorage` has its caller's value.
 */
export function keepContext(callId: number): void {
  contexts.set(callId, new AsyncResource("PORTIERCALL"));
}

/** Forgets the context of a call that is over. */
export function forgetContext(callId: number): void {
  contexts.delete(callId);
}

/** Runs a function in the context of the call with this id; `null` is the call that runs now. */
export function runFor(callId: number | null, run: () => void): void {
  if (callId === null) run();
  else (contexts.get(callId) ?? ofNoCall).runInAsyncScope(run);
}
