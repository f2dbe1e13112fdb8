import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";

import { formReader } from "./callback.js";
import { native, type NativeBody } from "./native.js";

/** A request whose body other code may have read and kept. */
export interface ReadRequest {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Where parsers keep the body. */
  readonly body?: unknown;
  /** Where hosts of functions keep the body. */
  readonly rawBody?: unknown;
}

/**
 * Reads the body of a request, or takes the body that was kept if it was read before. `stream` is the source, which may be
 * the request itself.
 */
export async function readBody(request: ReadRequest, stream: Readable): Promise<NativeBody> {
  if (stream.readableDidRead) return bodyLeftBy(request);
  if (Number(request.headers["content-length"] ?? 0) > native.MAX_FORM_BYTES) return "too_large";
  if (isBodiless(request.method) && isEmpty(request.headers)) return null;
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    stream.on("data", (chunk: Buffer | string) => {
      size += chunk.length;
      if (size <= native.MAX_FORM_BYTES) chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
      // The rest is read and dropped: a browser reads no response before it has sent everything.
      else resolve("too_large");
    });
    stream.on("end", () => resolve(joined(chunks)));
    const cutOff = (cause?: unknown): void => {
      // Every stream closes. An error takes longer to make than a form to read.
      if (!stream.readableEnded) reject(new BodyCutOff({ cause }));
    };
    stream.on("error", cutOff);
    stream.on("close", () => cutOff());
    if (stream.destroyed) cutOff();
  });
}

/** Reads the body of a request of `fetch`. */
export async function readFetchBody(request: Request): Promise<NativeBody> {
  if (request.bodyUsed) return "unreadable";
  // Some servers make a request only when its stream is asked for, which takes longer than all else here.
  if (isBodiless(request.method)) return null;
  const length = Number(request.headers.get("content-length") ?? NaN);
  return length <= native.MAX_FORM_BYTES ? readSmallBody(request) : readStream(request.body);
}

/** Reads a body of a known size, without its stream. */
async function readSmallBody(request: Request): Promise<NativeBody> {
  try {
    const body = await request.arrayBuffer();
    return body.byteLength > native.MAX_FORM_BYTES ? "too_large" : new Uint8Array(body);
  } catch (error) {
    // The stream is locked.
    if (!request.bodyUsed) return "unreadable";
    throw error;
  }
}

async function readStream(body: Request["body"]): Promise<NativeBody> {
  if (body === null) return null;
  if (body.locked) return "unreadable";
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks);
    size += value.length;
    if (size > native.MAX_FORM_BYTES) {
      // Not awaited: for a copy of a request, it settles once the request itself is cancelled.
      reader.cancel().catch(() => undefined);
      return "too_large";
    }
    chunks.push(value);
  }
}

/** The body that other code has read and kept, parsed or not. */
export function bodyLeftBy({ body, rawBody, headers }: ReadRequest): NativeBody {
  const kept = keptBody(body) ?? keptBody(rawBody);
  if (kept !== undefined) return kept;
  if (isEmpty(headers)) return null;
  // Some parsers set an empty object if they have read nothing.
  const isForm = typeof body === "object" && body !== null && (Symbol.iterator in body || Object.keys(body).length > 0);
  return isForm ? formFields(body) : "unreadable";
}

/**
 * The fields of a form that was read here, in the form in which parsers set `request.body`. A site can use them, for
 * example to show the form again with what was typed. Empty without a form.
 */
export function parsedForm(body: NativeBody, headers: IncomingHttpHeaders): object {
  const form = Object.create(null) as Record<string, string | string[]>;
  if (!(body instanceof Uint8Array) || !FORM.test(headers["content-type"] ?? "")) return form;
  for (const [name, value] of pairsOf(Buffer.from(body.buffer, body.byteOffset, body.length).toString())) {
    const before = form[name];
    if (typeof before === "object") before.push(value);
    else form[name] = before === undefined ? value : [before, value];
  }
  return form;
}

/** The body, if it was kept as it was received. */
export function keptBody(body: unknown): Uint8Array | undefined {
  if (typeof body === "string") return Buffer.from(body);
  return body instanceof Uint8Array ? body : undefined;
}

/** The fields of a parsed form. A value that is not a string becomes null. */
export function formFields(form: unknown): NativeBody {
  let valuesOf;
  try {
    valuesOf = formReader(form, FIELDS);
  } catch {
    return "unreadable";
  }
  const isText = (value: unknown): value is string => typeof value === "string" && value.isWellFormed();
  return FIELDS.flatMap((name) =>
    valuesOf(name).map((value): [string, string | null] => [name, isText(value) ? value : null]),
  );
}

const FIELDS = native.formFields();
const FORM = /^application\/x-www-form-urlencoded\b/i;

/** The browser closed the connection before the end of the form. Frameworks take the status from the error. */
class BodyCutOff extends Error {
  readonly status = 400;
  readonly statusCode = 400;
  readonly code = "ECONNABORTED";

  constructor(options: ErrorOptions) {
    super("the request ended before its form did", options);
  }
}

/** The fields of a form. The answer of a broker has no escapes, and its token is long. */
function pairsOf(form: string): Iterable<[name: string, value: string]> {
  if (form.includes("%") || form.includes("+")) return new URLSearchParams(`&${form}`);
  const pairs = form.split("&").filter((pair) => pair !== "");
  return pairs.map((pair) => {
    const end = pair.indexOf("=");
    return end === -1 ? [pair, ""] : [pair.slice(0, end), pair.slice(end + 1)];
  });
}

function joined(chunks: Uint8Array[]): Uint8Array {
  const [first] = chunks;
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
}

/** Whether requests of a method have no form. The Fetch Standard lets them have no body at all. */
function isBodiless(method: string | undefined): boolean {
  return method === "GET" || method === "HEAD";
}

function isEmpty(headers: IncomingHttpHeaders): boolean {
  return Number(headers["content-length"] ?? 0) === 0 && headers["transfer-encoding"] === undefined;
}
