import type { ErrorCode } from "./errors.js";

/** Whether logins work, as far as this process knows. */
export interface Health {
  /** The worst status of all checks. */
  readonly status: HealthStatus;
  /** The result of each check: of the broker's two documents, of the store in the last login, and of the clock. */
  readonly checks: Readonly<Record<"discovery" | "keys" | "store" | "clock", HealthCheck>>;
}

/** The result of one check. */
export interface HealthCheck {
  /** How bad it is. */
  readonly status: HealthStatus;
  /** What is wrong; absent if nothing is. */
  readonly code?: ErrorCode;
}

/**
 * How bad a result is. With `"warn"`, logins fail or may fail soon, for a reason that other processes of the site
 * share. With `"fail"`, this process has never been able to serve a login.
 */
export type HealthStatus = "pass" | "warn" | "fail";
