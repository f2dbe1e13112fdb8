import type { DevBroker } from "./broker.js";
import { failure, LIMIT_MS } from "./failure.js";
import { formsOf, textOf } from "./forms.js";
import { isLoopback } from "./jar.js";
import { limited } from "./limit.js";
import { running } from "./running.js";
import { exchange } from "./sites.js";

/** What the browser brings back from the broker. */
export interface Answer {
  method: "GET" | "POST";
  /** The redirect URI, with the answer in it if it is a `GET`. */
  url: URL;
  fields?: Record<string, string>;
}

/** A development broker. */
export interface KnownBroker {
  origin: string;
  /** The broker, if it runs in this process. */
  local: DevBroker | undefined;
}

// The form that asks, the form that posts the answer, and a redirect or two.
const MAX_PAGES = 6;

/** The development broker to which a site redirects, or `undefined` if it may be a real broker. */
export function brokerOf({ hostname, origin }: URL, named: DevBroker | string | undefined): KnownBroker | undefined {
  const local = typeof named === "object" ? named : running.get(origin);
  const isNamed = (typeof named === "object" ? named.origin : named) === origin;
  if (named === undefined ? local === undefined && !isLoopback(hostname) : !isNamed) return undefined;
  return { origin, local };
}

/** Signs in at the pages of the broker, and returns what the browser then brings to the site. */
export async function answerAt({ origin }: KnownBroker, start: URL): Promise<Answer> {
  let request: Answer = { method: "GET", url: start };
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const { method, url, fields } = request;
    const headers: Record<string, string> = { accept: "text/html" };
    const body = fields === undefined ? undefined : new URLSearchParams(fields).toString();
    if (body !== undefined) headers["content-type"] = "application/x-www-form-urlencoded";
    const send = (signal: AbortSignal) => exchange({ method, url, headers, body, signal });
    const reply = await limited(send, LIMIT_MS, `${method} ${url.origin}${url.pathname}`).catch((error: unknown) => {
      throw failure(`the development broker cannot be reached origin=${origin}`, error);
    });
    const { location } = reply.headers;
    const [form] = formsOf(reply.text);
    const waitsForMail = form?.fields["code"] === "";
    if (typeof location === "string") {
      request = { method: "GET", url: new URL(location, url) };
    } else if (reply.status === 200 && form !== undefined) {
      const answer = "answer" in form.fields ? { answer: "continue" } : {};
      const code = waitsForMail ? { code: await mailedCode(origin, form.fields["session"]) } : {};
      request = { method: "POST", url: new URL(form.action, url), fields: { ...form.fields, ...answer, ...code } };
    } else {
      throw failure(`the development broker did not sign in: ${method} ${url.pathname} answered ${reply.status}: ${textOf(reply.text).slice(0, 300)}`);
    }
    if (request.url.origin !== origin) return request;
  }
  throw failure("the development broker did not lead back to the site");
}

/** The code in the mail of a sign-in that waits for it. */
async function mailedCode(origin: string, session: string | undefined): Promise<string> {
  const url = new URL("/inbox.json", origin);
  const send = (signal: AbortSignal) => exchange({ method: "GET", url, headers: {}, body: undefined, signal });
  const { text } = await limited(send, LIMIT_MS, `GET ${url.href}`);
  const { mails } = JSON.parse(text) as { mails: { code: string; link: string }[] };
  return mails.find(({ link }) => new URL(link).searchParams.get("session") === session)?.code ?? "";
}

/** What the browser brings to the site, made of the fields that {@link DevBroker.signIn} gave. */
export function answerFrom(start: URL, fields: Record<string, string>): Answer {
  const { searchParams } = start;
  const url = new URL(searchParams.get("redirect_uri") ?? "");
  const mode = searchParams.get("response_mode") ?? (searchParams.get("response_type") === "code" ? "query" : "fragment");
  if (mode === "form_post") return { method: "POST", url, fields };
  if (mode === "fragment") url.hash = new URLSearchParams(fields).toString();
  else for (const [name, value] of Object.entries(fields)) url.searchParams.append(name, value);
  return { method: "GET", url };
}
