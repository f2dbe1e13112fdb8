import { failure } from "./failure.js";

// Test runners replace timers by fake ones. What is saved here stays real, but for the timers of Deno: its `setTimeout`
// asks at each call whether `mock.timers` is enabled. Its signals are real. On Node, a signal does not keep the process
// alive until it fires.
const { clearTimeout, setTimeout } = globalThis;
const signalAfter = "Deno" in globalThis ? AbortSignal.timeout.bind(AbortSignal) : undefined;

/** Waits for a response, but not for ever. A late request is aborted by the signal. */
export function limited<Value>(send: (signal: AbortSignal) => Promise<Value>, limitMs: number, request: string): Promise<Value> {
  const controller = new AbortController();
  return within(send(controller.signal), limitMs, () => {
    const late = failure(`no response within ${limitMs} ms: ${request}`);
    controller.abort(late);
    return late;
  });
}

/** Waits for a result, but not for ever, also while the timers of the test are fake. */
export async function within<Value>(result: Promise<Value>, limitMs: number, late: () => Error): Promise<Value> {
  // `setTimeout` takes a longer time for none.
  if (limitMs >= 2 ** 31) return result;
  let stop: (() => void) | undefined;
  const limit = new Promise<never>((_, reject) => {
    stop = after(limitMs, () => reject(late()));
  });
  try {
    return await Promise.race([result, limit]);
  } finally {
    stop?.();
  }
}

/** Calls back after a time that no fake timer moves. Returns what stops it. */
export function after(milliseconds: number, call: () => void): () => void {
  if (signalAfter === undefined) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  }
  const signal = signalAfter(Math.ceil(milliseconds));
  signal.addEventListener("abort", call);
  return () => signal.removeEventListener("abort", call);
}
