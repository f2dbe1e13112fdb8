import { answerAt, answerFrom } from "./broker-side.js";
import type { DevBroker, Mode } from "./broker.js";
import { failure, LoginFailed } from "./failure.js";
import { begin, refusedIn, returned, signedIn, type LoginOptions, type Pending } from "./login.js";
import { running } from "./running.js";
import type { TestSession } from "./session.js";
import type { App } from "./sites.js";

const ROTATION_MS = 10_000;
const OUTAGE_MS = 60_000;

/** The options of {@link wrongAddress}. */
export interface WrongAddressOptions extends LoginOptions {
  /** The address that the broker confirms; `mallory@example.com` by default. */
  proves?: string | undefined;
}

/**
 * The site refuses the account, although the login is complete: `onLogin` throws `LoginRefused`, or answers with a status
 * of 400 or more. The site shows the problem `account_unknown` or `account_refused`. Rejects with {@link LoginFailed} if the
 * person is signed in, and if the login does not complete.
 */
export async function refused(app: App | TestSession, email: string, options: LoginOptions = {}): Promise<TestSession> {
  const pending = await begin(app, email, options);
  return refusedIn(pending, await answerAt(pending.broker, pending.url));
}

/**
 * The answer of the broker comes too late: its token has expired. The site shows the problem `over`.
 *
 * Returns the browser, as every scenario does; its `response` is what the site shows.
 */
export function expired(app: App | TestSession, email: string, options: LoginOptions = {}): Promise<TestSession> {
  return answered(app, email, options, "expired");
}

/** The person cancels at the broker. The site shows the problem `cancelled`. */
export function cancelled(app: App | TestSession, email: string, options: LoginOptions = {}): Promise<TestSession> {
  return answered(app, email, options, "refuse");
}

/** The broker confirms another address than the one that was typed. The site shows the problem `over`. */
export function wrongAddress(
  app: App | TestSession,
  email: string,
  { proves = "mallory@example.com", ...options }: WrongAddressOptions = {},
): Promise<TestSession> {
  return answered(app, email, options, `as:${proves}`);
}

/** A login completes, and its answer is then sent again from another browser. The site shows the problem `used`. */
export async function replayed(app: App | TestSession, email: string, options: LoginOptions = {}): Promise<TestSession> {
  const pending = await begin(app, email, options);
  const answer = await answerAt(pending.broker, pending.url);
  const first = await signedIn(pending, answer);
  return returned(first.another(), answer);
}

/**
 * The answer arrives in another browser than the one in which the login was started, for example because the mail was
 * opened on a phone. The site asks whether to continue, and {@link TestSession.confirm} agrees; or it shows the problem
 * `other_browser`.
 */
export async function otherBrowser(app: App | TestSession, email: string, options: LoginOptions = {}): Promise<TestSession> {
  const pending = await begin(app, email, options);
  return returned(pending.session.another(), await answerAt(pending.broker, pending.url));
}

/**
 * The site cannot reach the broker during the whole login. The site shows the problem `broker_unavailable`, when the login
 * starts or when the person comes back. The implicit flow needs no broker once the site has its documents, and completes.
 * Afterwards the broker can be reached again, and its time is a minute later, so that the site asks it again:
 * {@link TestSession.reload} shows whether the login then completes.
 */
export async function brokerDown(app: App | TestSession, email: string, options: LoginOptions = {}): Promise<TestSession> {
  const brokers = controlled(options);
  for (const broker of brokers) broker.setReachable(false);
  try {
    const pending = await begin(app, email, options);
    return await returned(pending.session, answerFrom(pending.url, signIn(pending, "accept")));
  } catch (error) {
    // The login did not start.
    if (error instanceof LoginFailed && error.session !== undefined && error.session.response.status >= 400) return error.session;
    throw error;
  } finally {
    for (const broker of brokers) {
      broker.setReachable(true);
      // After failures, a client waits before it asks again.
      broker.advanceTime(OUTAGE_MS);
    }
  }
}

/**
 * The broker replaces its keys while the person signs in, which takes ten seconds. The site fetches the new keys, and the
 * login completes. Rejects with {@link LoginFailed} otherwise.
 */
export async function rotatedKeys(app: App | TestSession, email: string, options: LoginOptions = {}): Promise<TestSession> {
  const pending = await begin(app, email, options);
  const { local } = pending.broker;
  if (local === undefined) throw notHere();
  local.forgetKeys();
  // A client fetches keys again only after some seconds.
  local.advanceTime(ROTATION_MS);
  return signedIn(pending, answerFrom(pending.url, signIn(pending, "accept")));
}

async function answered(app: App | TestSession, email: string, options: LoginOptions, mode: Mode): Promise<TestSession> {
  const pending = await begin(app, email, options);
  return returned(pending.session, answerFrom(pending.url, signIn(pending, mode)));
}

function signIn({ broker, url }: Pending, mode: Mode): Record<string, string> {
  if (broker.local === undefined) throw notHere();
  return broker.local.signIn(url.href, { mode });
}

/** The brokers that a scenario may control. */
function controlled({ broker }: LoginOptions): DevBroker[] {
  if (typeof broker === "object") return [broker];
  const brokers = running.all().filter(({ origin }) => broker === undefined || origin === broker);
  if (brokers.length === 0) throw notHere();
  return brokers;
}

function notHere(): LoginFailed {
  return failure("the development broker does not run in this process, and a scenario controls it; start it with new DevBroker()");
}
