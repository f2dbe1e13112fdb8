import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

import { formFields, keptBody, parsedForm, readBody, readFetchBody, type ReadRequest } from "./body.js";
import type { CallbackParams } from "./callback.js";
import { invalidOption } from "./errors.js";
import { native, type NativeBody, type NativeHead } from "./native.js";
import { members, optionalText } from "./text.js";

/** The parts of an HTTP request that a login depends on, for servers without `node:http` and `fetch`. */
export interface WebRequest {
  method: string;
  /** `Headers`, pairs of names and values, or an object. Names may be in any case. */
  headers: Iterable<readonly [string, string]> | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The query of the URL, with or without `?`. In the code flow it has the answer of the broker; none by default. */
  query?: string | undefined;
  /** The body as it was received, or the fields of a parsed form; none by default. */
  body?: Uint8Array | string | CallbackParams | null | undefined;
  /**
   * Why there is no body: it was larger than 64 KiB, or something read it and discarded it.
   */
  unread?: "too_large" | "unreadable" | undefined;
}

/** A request that a {@link LoginFlow} takes. */
export type AnyRequest = WebRequest | Request | IncomingMessage;

/** The parts of a request that the addon gets. */
export interface Facts {
  head: NativeHead;
  query: string | undefined;
  body: NativeBody;
}

/** A request whose body was read already, in the form that the addon takes. */
export class TakenRequest implements WebRequest {
  constructor(
    readonly method: string,
    readonly headers: WebRequest["headers"],
    readonly query: string | undefined,
    readonly body: NativeBody,
  ) {}
}

/**
 * Reads a request, and leaves the fields of its form in `place.body`, as parsers do. `stream` is the request of Node, which
 * may be the request itself.
 */
export async function takeForm(
  request: ReadRequest & { readonly method?: string | undefined },
  stream: Readable,
  place: { body?: unknown },
): Promise<TakenRequest> {
  const { headers, method = "" } = request;
  const wasRead = stream.readableDidRead;
  const body = await readBody(request, stream);
  if (!wasRead) place.body = parsedForm(body, headers);
  return new TakenRequest(method, headers, queryOf(request as { url?: unknown }), body);
}

/** Reads a request, and its body if it was not read before. */
export function factsOf(request: AnyRequest): Facts | Promise<Facts> {
  if (request instanceof TakenRequest) return { head: headOf(request), query: request.query, body: request.body };
  if (isIncoming(request)) return withBody(headOf(request), queryOf(request), readBody(request, request));
  if (isFetched(request)) return withBody(headOf(request), queryOf(request), readFetchBody(request));
  const given = members(request, ["method", "headers", "query", "body", "unread"]);
  const query = optionalText(given.query, "query");
  const body = (given.unread as NativeBody | undefined) ?? givenBody(given.body);
  return { head: headOf(given), query, body };
}

async function withBody(head: NativeHead, query: string | undefined, body: Promise<NativeBody>): Promise<Facts> {
  return { head, query, body: await body };
}

/**
 * The query of a request, as the browser sent it. Routers that change `url` keep it in `originalUrl`.
 */
export function queryOf({ originalUrl, url }: { originalUrl?: unknown; url?: unknown }): string | undefined {
  const target = typeof originalUrl === "string" ? originalUrl : url;
  if (typeof target !== "string") return undefined;
  const [before = ""] = target.split("#", 1);
  const start = before.indexOf("?");
  return start === -1 ? undefined : before.slice(start + 1);
}

/** Reads a request without its body. */
export function headOf({ method, headers }: { method?: unknown; headers?: unknown }): NativeHead {
  if (typeof method !== "string") throw invalidOption("method is not a string");
  return withHeaders(oneLine(method), headers);
}

/** Reads the cookies of a request. */
export function cookiesOf({ headers }: { headers?: unknown }): NativeHead {
  return withHeaders("", headers, COOKIES);
}

function givenBody(body: unknown): NativeBody {
  return body === undefined || body === null ? null : (keptBody(body) ?? formFields(body));
}

/** What begins the line of each header that the flow reads, and of the cookies alone. */
const PREFIXES = new Map(native.webHeaders().map((name) => [name, `\n${name}:`]));
const COOKIES = new Map([["cookie", "\ncookie:"]]);

/** Adds lines for those headers that have a prefix. */
function withHeaders(head: NativeHead, headers: unknown, prefixes = PREFIXES): NativeHead {
  if (typeof headers !== "object" || headers === null) throw invalidOption("headers is not an object");
  let lines = head;
  if (typeof (headers as Partial<Headers>).getSetCookie === "function") {
    // Servers make all headers of a request when they are asked for more than one of them.
    for (const [name, prefix] of prefixes) {
      const value = (headers as Headers).get(name);
      if (value !== null) lines += prefix + oneLine(value);
    }
  } else if (Symbol.iterator in headers) {
    for (const [name, value] of headers as Iterable<[string, unknown]>) lines = withHeader(lines, name, value, prefixes);
  } else {
    // Runs for every request, so it creates no array for each header.
    for (const name of Object.keys(headers)) {
      lines = withHeader(lines, name, (headers as Record<string, unknown>)[name], prefixes);
    }
  }
  return lines;
}

/** Adds a line for a header, or one for each of its values. */
function withHeader(head: NativeHead, name: string, value: unknown, prefixes: typeof PREFIXES): NativeHead {
  const prefix = prefixes.get(name) ?? prefixes.get(name.toLowerCase());
  if (prefix === undefined || value === undefined) return head;
  if (!Array.isArray(value)) return head + prefix + oneLine(String(value));
  return value.reduce<NativeHead>((head, one) => withHeader(head, name, one, prefixes), head);
}

/** Servers accept no line break in a method or a header, but an object may have one. */
function oneLine(text: string): string {
  return text.includes("\n") ? text.replaceAll("\n", " ") : text;
}

/** The path and the query of a request as the browser has sent it; empty if it has none of its own. */
export function pageOf({ originalUrl, url }: { method?: unknown; originalUrl?: unknown; url?: unknown }): string {
  const target = typeof originalUrl === "string" ? originalUrl : url;
  if (typeof target !== "string") return "";
  // A request of `fetch` has the whole URL.
  return URL.canParse(target) ? new URL(target).pathname + new URL(target).search : target;
}

/** The path of the target of a request line: a path, with or without a query, or an absolute URL. */
export function pathOfTarget(target: string): string {
  return native.targetPath(target);
}

/** Checks the properties, not the class: a request may be of a test, a framework, or another realm. */
function isIncoming(request: AnyRequest): request is IncomingMessage {
  return "readableDidRead" in request;
}

function isFetched(request: AnyRequest): request is Request {
  return "bodyUsed" in request;
}
