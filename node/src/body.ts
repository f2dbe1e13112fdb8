import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

import { formReader } from "./callback.js";
import { native, type NativeBody } from "./native.js";

/** A request whose body something before us may have read, and kept. */
export interface ReadRequest {
  readonly headers: IncomingHttpHeaders;
  /** As parsers leave it, in place of the stream. */
  readonly body?: unknown;
  /** As hosts of functions leave it. */
  readonly rawBody?: unknown;
}

/**
 * Reads the body of a request, or takes it from where it was kept if it was read before. `stream` is
 * where it is to be read from, if that is not the request itself.
 */
export async function readBody(
  request: IncomingMessage & ReadRequest,
  stream: Readable = request,
): Promise<NativeBody> {
  if (stream.readableDidRead) return bodyLeftBy(request);
  if (Number(request.headers["content-length"] ?? 0) > native.MAX_FORM_BYTES) return "too_large";
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on("data", (chunk: Buffer | string) => {
      size += chunk.length;
      if (size <= native.MAX_FORM_BYTES) chunks.push(Buffer.from(chunk));
      // The rest flows past: a browser reads no answer before it has sent all.
      else resolve("too_large");
    });
    stream.on("end", () => resolve(Buffer.concat(chunks)));
    const cutOff = (cause?: unknown): void => reject(new BodyCutOff({ cause }));
    stream.on("error", cutOff);
    stream.on("close", () => cutOff());
    if (stream.destroyed) cutOff();
  });
}

/** Reads the body of a request of `fetch`. */
export async function readFetchBody({ body, bodyUsed }: Request): Promise<NativeBody> {
  if (bodyUsed || body?.locked) return "unreadable";
  if (body === null) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks);
    size += value.length;
    if (size > native.MAX_FORM_BYTES) {
      await reader.cancel();
      return "too_large";
    }
    chunks.push(value);
  }
}

/** The body that whatever has read it has left, parsed or not. */
export function bodyLeftBy({ body, rawBody, headers }: ReadRequest): NativeBody {
  const kept = keptBody(body) ?? keptBody(rawBody);
  if (kept !== undefined) return kept;
  if (isEmpty(headers)) return null;
  // Some parsers leave an empty object where they have read nothing.
  const isForm = typeof body === "object" && body !== null && (Symbol.iterator in body || Object.keys(body).length > 0);
  return isForm ? formFields(body) : "unreadable";
}

/**
 * The fields of a form that was read here, as parsers leave them in `request.body`: for what a site does
 * with them, such as showing once more what was typed. Without a form there are none.
 */
export function parsedForm(body: NativeBody, headers: IncomingHttpHeaders): object {
  const form = Object.create(null) as Record<string, string | string[]>;
  if (!(body instanceof Uint8Array) || !FORM.test(headers["content-type"] ?? "")) return form;
  for (const [name, value] of new URLSearchParams(Buffer.from(body).toString())) {
    const before = form[name];
    if (typeof before === "object") before.push(value);
    else form[name] = before === undefined ? value : [before, value];
  }
  return form;
}

/** The body that was kept as it arrived. */
export function keptBody(body: unknown): Uint8Array | undefined {
  if (typeof body === "string") return Buffer.from(body);
  return body instanceof Uint8Array ? body : undefined;
}

/** The fields of a form that was parsed; what is not text has no value here. */
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

/** The browser went away in the middle of its form. Frameworks take the status from the error. */
class BodyCutOff extends Error {
  readonly status = 400;
  readonly statusCode = 400;
  readonly code = "ECONNABORTED";

  constructor(options: ErrorOptions) {
    super("the request ended before its form did", options);
  }
}

function isEmpty(headers: IncomingHttpHeaders): boolean {
  return Number(headers["content-length"] ?? 0) === 0 && headers["transfer-encoding"] === undefined;
}
