import { forgetContext, keepContext } from "./context.js";
import { publishEvents } from "./events.js";
import { native, type Failure } from "./native.js";

/** Where the addon puts the outcomes of calls that had to wait. */
export const outcomes = native.receive(deliver);

/** A call that waits, with its store: the addon, which asks it, does not keep it. */
interface Waiting {
  resolve: (outcome: never) => void;
  store: object;
}

const waiting = new Map<number, Waiting>();

/** The outcome with this ticket; `null` if the call was cancelled. The program runs on until then. */
export function outcomeOf<T>(ticket: number, store: object): Promise<T | Failure | null> {
  if (waiting.size === 0) outcomes.keepRunning(true);
  keepContext(ticket);
  return new Promise((resolve) => waiting.set(ticket, { resolve, store }));
}

function deliver(): void {
  const taken = outcomes.take();
  // An event comes before the end of its call, which is also the end of the call's context.
  publishEvents(false);
  for (let place = 0; place < taken.length; place += 2) {
    const ticket = taken[place] as number;
    waiting.get(ticket)?.resolve(taken[place + 1] as never);
    waiting.delete(ticket);
    forgetContext(ticket);
  }
  if (waiting.size === 0) outcomes.keepRunning(false);
}
