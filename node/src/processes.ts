let warned = false;

/**
 * Warns, once, of a memory store in what looks like one of several processes that serve a site:
 * most logins would fail.
 */
export function warnOfMemoryStore(): void {
  const sign = signOfOthers();
  if (sign === undefined || warned) return;
  warned = true;
  process.emitWarning(
    `pending logins are in the memory of this process, but ${sign}: a login that is started in ` +
      "one process cannot be completed in another; give the client a store they share, such as " +
      'store: "sqlite:////var/lib/site/logins.db" or store: "redis://…"',
    { type: "PortierWarning", code: "PORTIER_MEMORY_STORE" },
  );
}

function signOfOthers(): string | undefined {
  if (isClusterWorker()) return "it is the worker of a cluster";
  const concurrency = process.env["WEB_CONCURRENCY"]?.trim() ?? "";
  if (/^\d+$/.test(concurrency) && Number(concurrency) > 1) return `WEB_CONCURRENCY is ${concurrency}`;
  return undefined;
}

/** Loads `node:cluster`, which takes a while, only where it may say yes. */
function isClusterWorker(): boolean {
  return isConnected() && (require("node:cluster") as { isWorker: boolean }).isWorker;
}

/** Whether the process that started this one listens to it, as that of a cluster does. */
function isConnected(): boolean {
  try {
    return process.connected;
  } catch {
    // Some threads may not ask.
    return false;
  }
}
