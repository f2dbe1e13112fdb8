import { AsyncResource } from "node:async_hooks";

// The asynchronous contexts of the calls that wait, by the ids of the calls.
const contexts = new Map<number, AsyncResource>();

// Work that belongs to no waiting call, such as a refresh in the background, runs in the context in which
// the package was loaded.
const defaultContext = new AsyncResource("PORTIER");

/**
 * Keeps the current asynchronous context for a call that waits. Events and calls of stores that belong to
 * the call run in it, so that an `AsyncLocalStorage` has the value of the caller.
 */
export function keepContext(callId: number): void {
  contexts.set(callId, new AsyncResource("PORTIERCALL"));
}

/** Removes the context of a call that has ended. */
export function forgetContext(callId: number): void {
  contexts.delete(callId);
}

/** Runs a function in the context of a call; `null` is the call that is being made. */
export function runFor(callId: number | null, run: () => void): void {
  if (callId === null) run();
  else (contexts.get(callId) ?? defaultContext).runInAsyncScope(run);
}
