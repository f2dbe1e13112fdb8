import { forgetContext, keepContext } from "./context.js";
import { publishEvents } from "./events.js";
import { native, type Failure } from "./native.js";

/** The queue of the outcomes of calls that had to wait. */
export const completions = native.createCompletionQueue(deliver);

/** A call that waits. It references its store, because the addon does not. */
interface WaitingCall {
  resolve: (outcome: never) => void;
  store: object;
}

const waiting = new Map<number, WaitingCall>();

let turnIsOpen = false;
const nextTurn = Promise.resolve();

/** Waits for the outcome of a call; `null` if the call was cancelled. The process stays alive until then. */
export function completionOf<T>(callId: number, store: object): Promise<T | Failure | null> {
  if (waiting.size === 0) completions.keepRunning(true);
  keepContext(callId);
  if (!turnIsOpen) {
    turnIsOpen = true;
    void nextTurn.then(endTurn);
  }
  return new Promise((resolve) => waiting.set(callId, { resolve, store }));
}

function endTurn(): void {
  turnIsOpen = false;
  completions.endTurn();
}

function deliver(): void {
  const taken = completions.take();
  // Events come before the end of their call, with which its context is removed.
  publishEvents(false);
  for (let index = 0; index < taken.length; index += 2) {
    const callId = taken[index] as number;
    waiting.get(callId)?.resolve(taken[index + 1] as never);
    waiting.delete(callId);
    forgetContext(callId);
  }
  if (waiting.size === 0) completions.keepRunning(false);
}
