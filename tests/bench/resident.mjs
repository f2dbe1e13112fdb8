import { existsSync, readFileSync } from "node:fs";

/**
 * The maximum resident memory of this process so far, in bytes. On Linux, `maxRSS` includes that of the parent process
 * until `exec`.
 */
export function residentBytes() {
  const status = "/proc/self/status";
  const peak = existsSync(status) ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(status, "utf8")) : null;
  return (peak === null ? process.resourceUsage().maxRSS : Number(peak[1])) * 1024;
}
