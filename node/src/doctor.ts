/**
 * Finds out why logins fail: `npx portier-client doctor`, also from code.
 *
 * @packageDocumentation
 */

import { trustExtraAuthorities } from "./authorities.js";
import { call } from "./call.js";
import { completions } from "./completions.js";
import { native } from "./native.js";
import { members, optionalText, text } from "./text.js";

/** What the doctor is told about a site; the same values as for its client. */
export interface DoctorOptions {
  /** The redirect URI of the site. */
  redirectUri: string;
  /** The broker's origin; the public broker by default. */
  broker?: string | undefined;
  /** The URL of the store; the memory of the process by default. */
  store?: string | undefined;
  /** Whether the site gives its client a secret, so that pending logins need no store. */
  hasSecret?: boolean | undefined;
  /** The URL of the page with the login form, if the site runs. */
  loginPage?: string | undefined;
  /** A file of certificate authorities, as for the client. */
  caFile?: string | undefined;
  /** How many processes serve the site. */
  processes?: number | undefined;
  /** Allows a broker with plain `http`, as for the client. */
  dangerAllowHttp?: boolean | undefined;
  /** Asks neither the broker nor the site. */
  offline?: boolean | undefined;
}

/** One result of the doctor. */
export interface Finding {
  /** A stable name, such as `store.evicts`. */
  readonly id: string;
  /** How bad it is. Only warnings and errors need action. */
  readonly level: "ok" | "note" | "warning" | "error";
  /** A sentence or two. It contains no secret. */
  readonly text: string;
  /** What to do, unless nothing has to be done. */
  readonly advice: string | null;
  /** The place in the manual. */
  readonly see: string | null;
  /** Figures and names, for programs. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** All findings of one examination. */
export interface Report {
  /** Whether there is neither a warning nor an error. */
  readonly healthy: boolean;
  /** In the order of the checks. */
  readonly findings: readonly Finding[];
  /** The versions of this library and of Node. */
  readonly versions: Readonly<Record<string, string>>;
  /** How long it took. */
  readonly milliseconds: number;
}

const TEXTS = { broker: "broker", store: "store", loginPage: "login-page", caFile: "ca-file" } as const;
const FLAGS = { hasSecret: "secret", dangerAllowHttp: "danger-allow-http", offline: "offline" } as const;

/**
 * Examines a site: its options, its network, the broker, the store, and the login page. Sends no mail.
 *
 * It takes less than two seconds if all is well. Whatever is wrong is in the report; only options of a wrong type are an
 * exception.
 *
 * ```js
 * const { healthy, findings } = await examine({ redirectUri: "https://example.com/verify" });
 * ```
 */
export async function examine(options: DoctorOptions): Promise<Report> {
  const names = ["redirectUri", "processes", ...Object.keys(TEXTS), ...Object.keys(FLAGS)];
  const given = members(options, names as (keyof DoctorOptions)[]);
  const args = ["--json", `--redirect-uri=${text(given.redirectUri, "redirectUri", "invalid_redirect_uri")}`];
  for (const [name, option] of Object.entries(TEXTS)) {
    const value = optionalText(given[name as keyof typeof TEXTS], name);
    if (value !== undefined) args.push(`--${option}=${value}`);
  }
  if (given.processes !== undefined) args.push(`--processes=${given.processes}`);
  for (const [name, option] of Object.entries(FLAGS)) {
    if (given[name as keyof typeof FLAGS] === true) args.push(`--${option}`);
  }
  const { output, complaint } = await run(args, false, false);
  if (complaint !== "") throw new TypeError(complaint.split("\n", 1)[0]);
  return JSON.parse(output) as Report;
}

/** Runs the command; returns its exit status. */
export async function main(args: string[]): Promise<number> {
  const colours = process.stdout.isTTY === true && (process.env["NO_COLOR"] ?? "") === "";
  const { status, output, complaint } = await run(args, true, colours);
  process.stdout.write(output);
  process.stderr.write(complaint);
  return status;
}

async function run(args: string[], readsEnvironment: boolean, colours: boolean) {
  const versions: [string, string][] = [
    ["Node", process.versions.node],
    [process.platform, process.arch],
  ];
  trustExtraAuthorities();
  return call(undefined, {}, () => native.runDoctor(completions, args, readsEnvironment, versions, colours));
}
