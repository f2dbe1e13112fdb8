import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

import { formFields, keptBody, readBody, readFetchBody } from "./body.js";
import type { CallbackParams } from "./callback.js";
import { invalidOption } from "./errors.js";
import { native, type NativeBody, type NativeHeaders } from "./native.js";
import { members } from "./text.js";

/** One HTTP request, as the facts that a login depends on; for servers that are neither of the two. */
export interface WebRequest {
  method: string;
  /** `Headers`, pairs of names and values, or an object; names may be in any case. */
  headers: Iterable<readonly [string, string]> | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body as it arrived, or the fields of the form if it was parsed already; none by default. */
  body?: Uint8Array | string | CallbackParams | null | undefined;
  /**
   * Why there is no body: it was larger than 64 KiB and not read on, or something has read it and kept it
   * nowhere.
   */
  unread?: "too_large" | "unreadable" | undefined;
}

/** A request as a {@link LoginFlow} takes it. */
export type AnyRequest = WebRequest | Request | IncomingMessage;

/** What the addon gets of a request. */
export interface Facts {
  method: string;
  headers: NativeHeaders;
  body: NativeBody;
}

/** A request whose body was read already, as the addon takes it. */
export class TakenRequest implements WebRequest {
  constructor(
    readonly method: string,
    readonly headers: IncomingHttpHeaders,
    readonly body: NativeBody,
  ) {}
}

/** Reads a request; its body as well, if it was not read before. */
export async function factsOf(request: AnyRequest): Promise<Facts> {
  if (request instanceof TakenRequest) return { ...headOf(request), body: request.body };
  if (isIncoming(request)) return { ...headOf(request), body: await readBody(request) };
  if (isFetched(request)) return { ...headOf(request), body: await readFetchBody(request) };
  const { method, headers, body, unread } = members(request, ["method", "headers", "body", "unread"]);
  return { ...headOf({ method, headers }), body: (unread as NativeBody | undefined) ?? given(body) };
}

/** What is known of a request before its body. */
export function headOf({ method, headers }: { method?: unknown; headers?: unknown }): Omit<Facts, "body"> {
  if (typeof method !== "string") throw invalidOption("method is not a string");
  return { method, headers: headerValues(headers) };
}

function given(body: unknown): NativeBody {
  return body === undefined || body === null ? null : (keptBody(body) ?? formFields(body));
}

const NAMES = native.webHeaders();
const PLACES = new Map(NAMES.map((name, place) => [name, place]));

/** The values of the headers that the flow reads; the lines of one that is repeated are joined. */
function headerValues(headers: unknown): NativeHeaders {
  if (typeof headers !== "object" || headers === null) throw invalidOption("headers is not an object");
  const values: NativeHeaders = NAMES.map(() => undefined);
  if (Symbol.iterator in headers) {
    for (const [name, value] of headers as Iterable<[string, unknown]>) add(values, name, value);
  } else {
    // Every request comes through here: without an array for each header.
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

/** By what they can do, not by their class: they may be of a test, a framework, or another realm. */
function isIncoming(request: AnyRequest): request is IncomingMessage {
  return "readableDidRead" in request;
}

function isFetched(request: AnyRequest): request is Request {
  return "bodyUsed" in request;
}
