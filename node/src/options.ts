import { invalidOption } from "./errors.js";
import { NAMES } from "./names.js";
import type { NativeOptions } from "./native.js";
import type { Algorithm, Flow, ResponseMode } from "./protocol.js";
import { readSecrets, type Secret } from "./session.js";
import { readStore, type AnyStore } from "./store/built-in.js";
import { flag, members, optionalText, text, texts } from "./text.js";

/** The options of a {@link PortierClient}. Only `redirectUri` is needed. */
export interface PortierClientOptions {
  /** The redirect URI: an `http` or `https` URL of this site. */
  redirectUri: string;
  /** The broker's origin; `https://broker.portier.io` by default. */
  broker?: string | undefined;
  /** The store of pending logins, or its URL; by default a memory store. */
  store?: AnyStore | string | undefined;
  /**
   * Seals pending logins, so that they are in no store and every process with the secret completes them. In the implicit
   * flow, completed logins are written to the `store`; without one that all processes share, logins must be bound to a
   * browser.
   */
  secret?: Secret | undefined;
  /**
   * The flow of logins; `implicit` by default. In the code flow, only {@link PortierClient.complete} completes a login,
   * and {@link PortierClient.verify} rejects.
   */
  flow?: Flow | undefined;
  /** How the broker returns the token of the implicit flow; `form_post` by default. */
  responseMode?: ResponseMode | undefined;
  /** How much the broker's clock may differ, in milliseconds; 180,000 by default, at most 300,000. */
  leewayMs?: number | undefined;
  /** The same as `leewayMs`. */
  leeway?: number | undefined;
  /** The time limit of a login, in milliseconds; 1,800,000 by default. */
  sessionTtlMs?: number | undefined;
  /** The time limit for fetching a document of the broker, in milliseconds; 10,000 by default. */
  timeoutMs?: number | undefined;
  /**
   * The time limit of each call of your own store, in milliseconds; 5,000 by default. Stores that a URL names have
   * their own limits.
   */
  storeTimeoutMs?: number | undefined;
  /** The algorithms to accept, the preferred one first; RS256 and EdDSA by default. */
  algorithms?: readonly Algorithm[] | undefined;
  /** Whether another address than the requested one is an error. For brokers. */
  idp?: boolean | undefined;
  /** Whether the broker may use plain `http` on hosts other than this one. */
  dangerAllowHttp?: boolean | undefined;
  /** A file of PEM certificates to trust in addition to the system's. */
  caFile?: string | undefined;
  /** The `User-Agent` of requests to the broker. */
  userAgent?: string | undefined;
}

/** Checks the types of options; the core checks their values. */
export function readOptions(options: unknown): { native: NativeOptions; store: AnyStore } {
  const given = members(options, NAMES);
  if (given.leeway !== undefined && given.leewayMs !== undefined) {
    throw invalidOption("leeway and leewayMs are the same option: give one of them");
  }
  const native: NativeOptions = {
    redirectUri: text(given.redirectUri, "redirectUri", "invalid_redirect_uri"),
    broker: optionalText(given.broker, "broker"),
    flow: optionalText(given.flow, "flow") as Flow | undefined,
    responseMode: optionalText(given.responseMode, "responseMode") as ResponseMode | undefined,
    leeway: number(given.leeway ?? given.leewayMs, "leewayMs"),
    sessionTtl: number(given.sessionTtlMs, "sessionTtlMs"),
    timeout: number(given.timeoutMs, "timeoutMs"),
    storeTimeout: number(given.storeTimeoutMs, "storeTimeoutMs"),
    secrets: isGiven(given.secret) ? readSecrets(given.secret) : undefined,
    hasStore: isGiven(given.store),
    algorithms: texts(given.algorithms, "algorithms") as Algorithm[] | undefined,
    idp: flag(given.idp, "idp"),
    dangerAllowHttp: flag(given.dangerAllowHttp, "dangerAllowHttp"),
    caFile: optionalText(given.caFile, "caFile"),
    userAgent: optionalText(given.userAgent, "userAgent"),
  };
  return { native, store: readStore(given.store) };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Checks an optional duration. */
export function number(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw invalidOption(`${name} is not a number of milliseconds`);
  return value;
}
