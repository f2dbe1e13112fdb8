import { convertExceptions } from "./convert-exceptions.js";
import type { ClaimReason, ErrorCode } from "./errors.js";
import { loadAddon } from "./loader.js";
import type { Algorithm, Flow, Key, ResponseMode } from "./protocol.js";
import type { Stats } from "./stats.js";

/** The error that the addon returns instead of a value. */
export interface Failure {
  code: ErrorCode;
  message: string;
  error: string | null;
  errorDescription: string | null;
  email: string | null;
  confirmation: string | null;
  sameBrowser: boolean;
  claim: string | null;
  reason: ClaimReason | null;
  status: number | null;
  retryAfterSeconds: number | null;
  causes: { code: ErrorCode | null; message: string }[];
  /** The id of the value that a store threw, which is the last cause. */
  thrown: number | null;
}

/** The return value of an operation: its value, a failure, or the id of a call whose outcome follows. No value is a number. */
export type Outcome<T> = T | Failure | number;

export interface NativeCompletions {
  /** Starts the calls that wait for the end of the turn in which they were made. */
  endTurn(): void;
  /** Takes the first outcomes: the id of a call, its outcome, the next id, and so on. */
  take(): unknown[];
  /** Sets whether the queue keeps the process alive. */
  keepRunning(keep: boolean): void;
}

/** The options that the addon takes. Every property is set, so that none is read from the prototype. */
export interface NativeOptions {
  redirectUri: string;
  broker: string | undefined;
  flow: Flow | undefined;
  responseMode: ResponseMode | undefined;
  leeway: number | undefined;
  sessionTtl: number | undefined;
  timeout: number | undefined;
  storeTimeout: number | undefined;
  secrets: Uint8Array[] | undefined;
  /** Whether the site has chosen the store. */
  hasStore: boolean;
  algorithms: Algorithm[] | undefined;
  idp: boolean | undefined;
  dangerAllowHttp: boolean | undefined;
  caFile: string | undefined;
  userAgent: string | undefined;
}

/** A login of the addon. Times are in seconds. */
export type NativeLogin = [
  email: string,
  emailOriginal: string,
  session: string | null,
  state: string | null,
  issuedAt: number,
  authTime: number | null,
  sameBrowser: boolean,
];

export interface NativeClient {
  readonly redirectUri: string;
  readonly clientId: string;
  readonly broker: string;
  readonly hasLocalStore: boolean;
  authenticate(
    email: string | null,
    state: string | undefined,
    session: string | undefined,
    browser: string | undefined,
    cancellation: Cancellation | undefined,
  ): Outcome<string>;
  verify(idToken: string, cancellation: Cancellation | undefined): Outcome<string>;
  complete(
    params: [string, string][],
    browser: string | undefined,
    confirmation: string | undefined,
    cancellation: Cancellation | undefined,
  ): Outcome<NativeLogin>;
  discover(cancellation: Cancellation | undefined): Outcome<string>;
  keys(cancellation: Cancellation | undefined): Outcome<Key[]>;
  warm(cancellation: Cancellation | undefined): Outcome<undefined>;
  stats(): Stats;
  takeRequests(): string;
  health(): Outcome<string>;
  loginFlow(options: NativeFlowOptions): NativeFlow | Failure;
  sessionCookie(options: NativeSessionOptions): NativeSessionCookie | Failure;
  close(): void;
}

/** The options of a flow that the addon takes. */
export interface NativeFlowOptions {
  flow: string | undefined;
  browserBinding: string | undefined;
  loginUrl: string | undefined;
  defaultNext: string | undefined;
  allowedHosts: string[] | undefined;
  identityProviders: string[] | undefined;
  callbackPath: string | undefined;
  formTokenChecked: boolean | undefined;
  languages: string[] | undefined;
  texts: [language: string, texts: [id: string, text: string][]][] | undefined;
  session: NativeSessionOptions | undefined;
}

/** Options of a session cookie as the addon takes them; ages are in seconds. */
export interface NativeSessionOptions {
  secrets: Uint8Array[];
  maxAge: number | undefined;
  absoluteMaxAge: number | undefined;
}

/**
 * A session as the addon passes it: when the person signed in, when the session expires, its id and the address,
 * between spaces; in a second line, the `Set-Cookie` value that renews it.
 */
export type PackedSession = string;

/** A session that has begun, and the value of its `Set-Cookie`. */
export interface NativeStartedSession {
  session: PackedSession;
  cookie: string;
}

/** The session cookie; sessions are read from `Cookie` headers. */
export interface NativeSessionCookie {
  start(email: string): NativeStartedSession | Failure;
  read(cookie: string): PackedSession | null;
  renew(cookie: string): string | null | Failure;
  clear(): string;
}

/** The method of a request, and a line for each of its headers: the name in lower case, a colon, and the value. */
export type NativeHead = string;

/** A body: bytes, fields (null is a value that is not a string), none, or the reason why it is missing. */
export type NativeBody = Uint8Array | [string, string | null][] | null | "too_large" | "unreadable";

/** The web side of a client's logins. */
export interface NativeFlow {
  readonly facts: NativeFacts;
  login(
    head: NativeHead,
    formTokenChecked: boolean,
    body: NativeBody,
    cancellation: Cancellation | undefined,
  ): Outcome<NativeStep>;
  start(
    head: NativeHead,
    email: string,
    next: string,
    cancellation: Cancellation | undefined,
  ): Outcome<NativeStep>;
  callback(
    head: NativeHead,
    query: string | undefined,
    body: NativeBody,
    cancellation: Cancellation | undefined,
  ): Outcome<NativeStep>;
  session(head: NativeHead): PackedSession | null;
  startSession(email: string): NativeStartedSession | Failure;
  requireLogin(head: NativeHead, page: string): NativeStep;
  refuseAccount(head: NativeHead, code: string, message: string): NativeStep;
  logout(head: NativeHead, formTokenChecked: boolean): Outcome<NativeStep>;
  health(head: NativeHead): Outcome<NativeStep>;
  safeNext(page: string): string | null;
  explain(code: string, brokerError: string | undefined, acceptLanguage: string | undefined): NativeProblem;
}

/** The properties of a flow that do not depend on a request. */
export interface NativeFacts {
  callbackPath: string;
  formPolicy: string;
  formTargets: string[];
  isSecure: boolean;
}

/** The result of a request. A redirect has no page. */
export type NativeStep = [
  head: NativeReplyHead,
  login: NativeLogin | null,
  session: PackedSession | null,
  page: NativePage | null,
];

/**
 * A line with the status, and one for each header: the name, a colon, and the value. The cookies of a login have the
 * name `login-cookie`.
 */
export type NativeReplyHead = string;

/** The body of a reply, what it shows, and why there is no login. */
export type NativePage = [
  policy: string | null,
  body: string,
  problem: NativeProblem | null,
  confirmation: NativeConfirmation | null,
  error: Failure | null,
];

export interface NativeConfirmation {
  email: string;
  fields: [name: string, value: string][];
  language: string;
}

export interface NativeProblem {
  id: string;
  status: number;
  title: string;
  text: string;
  retryAfter: number | null;
  language: string;
  typedEmail: string | null;
  next: string | null;
}

export interface Cancellation {
  cancel(): void;
}

/** Opaque to JavaScript. */
export interface NativeStore {
  readonly [Symbol.toStringTag]?: string;
}

/** The methods of a custom store. */
export type StoreMethods = "records" | "recordsAndContains" | "nonces";

/** The pending calls of a custom store. */
export interface NativeStoreCalls {
  resolve(id: number, value: string | boolean | null): void;
  /** Returns the ids of thrown values that need not be kept any longer. */
  reject(id: number, code: ErrorCode, message: string, thrown: boolean): number[];
}

export interface NativeClock {
  readonly now: number;
  advance(milliseconds: number): undefined | Failure;
  set(now: number): undefined | Failure;
}

export interface NativeTransport {
  respond(
    url: string,
    body: Uint8Array,
    status: number,
    headers: [string, string][],
  ): undefined | Failure;
  fail(url: string): void;
  requests(url: string): number;
  hold(): void;
  release(): void;
}

export interface NativeBroker {
  readonly origin: string;
  readonly port: number;
  readonly banner: string;
  readonly now: number;
  freezeTime(at: number | undefined): undefined | Failure;
  advanceTime(milliseconds: number): undefined | Failure;
  resumeTime(): void;
  setMode(mode: string): undefined | Failure;
  setAccount(pattern: string, mode: string): undefined | Failure;
  nextLogins(modes: string[]): undefined | Failure;
  setReachable(reachable: boolean): void;
  inbox(): { to: string; site: string; code: string; link: string; sentAt: number }[];
  clearInbox(): void;
  reset(): void;
  requests(): Record<string, number>;
  failNext(
    path: string,
    requests: number,
    status: number | undefined,
    delay: number,
    headers: [string, string][],
    body: string | undefined,
  ): undefined | Failure;
  hold(path: string): void;
  release(path: string): void;
  rotateKeys(): undefined | Failure;
  forgetKeys(): undefined | Failure;
  keyId(key: string, algorithm: string): string | Failure;
  mint(options: string): string | Failure;
  signIn(url: string, mode: string, email: string | undefined): [name: string, value: string][] | Failure;
  timeSignatures(tokens: string[]): number | Failure;
  stop(): void;
}

export interface NativeEvents {
  /**
   * Takes the waiting events: an event, the id of its call, the next event, and so on. With `inCall`, the id is null for
   * events of the call that is being made or was made last. Without a call it is 0.
   */
  take(inCall: boolean): unknown[];
  stop(): void;
}

/** The exports of the addon. */
export interface Addon {
  VERSION: string;
  /** Identifies this copy of the addon in the process. */
  imageId(): string;
  /** The first call in a process returns why files cannot be used, if so. */
  trustExtraCaCerts(variables: string[]): string[];
  /** Calls the function once in a process, and only if the system has no certificate authorities. */
  trustWithoutSystem(pem: () => string): void;
  /** The longest string that a store may return. */
  maxRecordLength(): number;
  callbackNames(): string[];
  /** The size limit of a form, in bytes. */
  MAX_FORM_BYTES: number;
  /** The headers that a flow reads. */
  webHeaders(): string[];
  /** The headers of every reply, which a step does not repeat. */
  commonHeaders(): [name: string, value: string][];
  /** The fields of a form that a flow reads. */
  formFields(): string[];
  targetPath(target: string): string;
  codes(): { code: ErrorCode; kind: string; retryable: boolean; fault: boolean }[];
  metricsContentType(): string;
  exposition(names: string[], clients: NativeClient[]): string;
  collectMetrics(names: string[], clients: NativeClient[]): string;
  normalizeEmail(text: string): string | Failure;
  safeNext(text: string, allowedHosts: string[]): string | null;
  createCompletionQueue(wake: () => void): NativeCompletions;
  createClient(
    options: NativeOptions,
    store: NativeStore,
    completions: NativeCompletions,
  ): NativeClient | Failure;
  Cancellation: new () => Cancellation;
  memoryStore(capacity: number | undefined): NativeStore;
  openStore(url: string): NativeStore | Failure;
  customStore(
    methods: StoreMethods,
    calls: NativeStoreCalls,
    call: (...parameters: never[]) => void,
  ): NativeStore;
  StoreCalls: new () => NativeStoreCalls;
  listen(wake: () => void): NativeEvents;
  createMockClient(
    options: NativeOptions,
    store: NativeStore | undefined,
    clock: NativeClock,
    random: Uint8Array[],
    transport: NativeTransport,
    completions: NativeCompletions,
  ): NativeClient | Failure;
  storePut(
    completions: NativeCompletions,
    store: NativeStore,
    nonce: string,
    record: string,
    ttlMs: number,
  ): Outcome<undefined>;
  storeTake(completions: NativeCompletions, store: NativeStore, nonce: string): Outcome<string | null>;
  storeContains(completions: NativeCompletions, store: NativeStore, nonce: string): Outcome<boolean>;
  createManualClock(now: number): NativeClock | Failure;
  MockTransport: new () => NativeTransport;
  spawnDevBroker(
    host: string,
    port: number,
    origin: string | undefined,
    mode: string,
    keysLifetime: number,
    clock: NativeClock | undefined,
  ): NativeBroker | Failure;
  runBrokerCommand(args: string[]): NativeBroker | { status: number; output: string; complaint: string };
  runDoctor(
    completions: NativeCompletions,
    args: string[],
    readsEnvironment: boolean,
    versions: [string, string][],
    colours: boolean,
  ): Outcome<{ status: number; output: string; complaint: string }>;
  panicInOperation(completions: NativeCompletions, atOnce: boolean): Outcome<undefined>;
  panicInExport(): void;
}

/** The addon; the same for all copies of this package in a thread. */
export const native = convertExceptions(loadAddon() as Addon & object);

/** The version of this package. */
export const version: string = native.VERSION;
