import type { IncomingMessage } from "node:http";

import { formFields, keptBody, readBody, readFetchBody } from "./body.js";
import type { CallbackParams } from "./callback.js";
import { invalidOption } from "./errors.js";
import { native, type NativeBody, type NativeHeaders } from "./native.js";
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
  method: string;
  headers: NativeHeaders;
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

/** Reads a request, and its body if it was not read before. */
export async function factsOf(request: AnyRequest): Promise<Facts> {
  if (request instanceof TakenRequest) return { ...headOf(request), query: request.query, body: request.body };
  if (isIncoming(request)) {
    return { ...headOf(request), query: queryOf(request), body: await readBody(request, request) };
  }
  if (isFetched(request)) {
    return { ...headOf(request), query: queryOf(request), body: await readFetchBody(request) };
  }
  const given = members(request, ["method", "headers", "query", "body", "unread"]);
  const query = optionalText(given.query, "query");
  const body = (given.unread as NativeBody | undefined) ?? givenBody(given.body);
  return { ...headOf({ method: given.method, headers: given.headers }), query, body };
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
export function headOf({ method, headers }: { method?: unknown; headers?: unknown }): Pick<Facts, "method" | "headers"> {
  if (typeof method !== "string") throw invalidOption("method is not a string");
  return { method, headers: headerValues(headers) };
}

function givenBody(body: unknown): NativeBody {
  return body === undefined || body === null ? null : (keptBody(body) ?? formFields(body));
}

const NAMES = native.webHeaders();
const PLACES = new Map(NAMES.map((name, place) => [name, place]));
const COOKIE = NAMES.indexOf("cookie");

/** The values of the headers that the flow reads. Values of a repeated header are joined. */
function headerValues(headers: unknown): NativeHeaders {
  if (typeof headers !== "object" || headers === null) throw invalidOption("headers is not an object");
  const values: NativeHeaders = NAMES.map(() => undefined);
  if (Symbol.iterator in headers) {
    for (const [name, value] of headers as Iterable<[string, unknown]>) add(values, name, value);
  } else {
    // Runs for every request, so it creates no array for each header.
    for (const name of Object.keys(headers)) add(values, name, (headers as Record<string, unknown>)[name]);
  }
  return values;
}

function add(values: NativeHeaders, name: string, value: unknown): void {
  const place = PLACES.get(name) ?? PLACES.get(name.toLowerCase());
  if (place === undefined || value === undefined) return;
  const separator = NAMES[place] === "cookie" ? "; " : ", ";
  const text = Array.isArray(value) ? value.join(separator) : String(value);
  const before = values[place];
  values[place] = before === undefined ? text : before + separator + text;
}

/** The `Cookie` header of a request, which is empty if there is none. */
export function cookieOf(request: { headers?: unknown }): string {
  return headerValues(request.headers)[COOKIE] ?? "";
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
