import { AsyncResource } from "node:async_hooks";

// The contexts of the calls that wait, by ticket.
const contexts = new Map<number, AsyncResource>();

// What belongs to no call that waits, such as a refresh in the background, has the context in which the
// package was loaded.
const ofNoCall = new AsyncResource("PORTIER");

/**
 * Keeps the asynchronous context here for the call with this ticket, which waits. What happens for the
 * call later, on another thread, is handled in it: so an `AsyncLocalStorage` has its caller's value.
 */
export function keepContext(ticket: number): void {
  contexts.set(ticket, new AsyncResource("PORTIERCALL"));
}

/** Forgets the context of a call that is over. */
export function forgetContext(ticket: number): void {
  contexts.delete(ticket);
}

/** Runs a function in the context of the call with this ticket; `null` is the call that runs now. */
export function runFor(ticket: number | null, run: () => void): void {
  if (ticket === null) run();
  else (contexts.get(ticket) ?? ofNoCall).runInAsyncScope(run);
}
