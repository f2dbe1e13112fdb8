import { forgetContext, keepContext } from "./context.js";
import { publishEvents } from "./events.js";
import { native, type Failure } from "./native.js";

/** Where the addon puts the completions of calls that had to wait. */
export const completions = native.createCompletionQueue(deliver);

/** A call that waits, with its store: the addon, which asks it, does not keep it. */
interface Waiting {
  resolve: (outcome: never) => void;
  store: object;
}

const waiting = new Map<number, Waiting>();

/** The outcome with this id; `null` if the call was cancelled. The program runs on until then. */
export function completionOf<T>(callId: number, store: object): Promise<T | Failure | null> {
  if (waiting.size === 0) completions.keepRunning(true);
  keepContext(callId);
  return new Promise((resolve) => waiting.set(callId, { resolve, store }));
}

function deliver(): void {
  const taken = completions.take();
  // An event comes before the end of its call, which is also the end of the call's context.
  publishEvents(false);
  for (let place = 0; place < taken.length; place += 2) {
    const callId = taken[place] as number;
    waiting.get(callId)?.resolve(taken[place + 1] as never);
    waiting.delete(callId);
    forgetContext(callId);
  }
  if (waiting.size === 0) completions.keepRunning(false);
}
