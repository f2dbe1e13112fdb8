import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

import { invalidOption } from "../errors.js";
import type { Problem } from "./problems.js";
import { NOT_A_FORM, TOO_LARGE } from "./problems.js";

/** The media type of a form. */
export const FORM = "application/x-www-form-urlencoded";

/** The most octets of a form: that with a token is the largest, and a token has 16 KiB at most. */
export const MOST_OCTETS = 64 * 1024;

/** A form as bodies of requests are: names with one text, or several. */
export type Form = Record<string, string | string[]>;

/** What is wrong with a form that a request announces. */
export function unacceptable(headers: IncomingHttpHeaders): Problem | undefined {
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== FORM || (headers["content-encoding"] ?? "identity") !== "identity") return NOT_A_FORM;
  return Number(headers["content-length"] ?? 0) > MOST_OCTETS ? TOO_LARGE : undefined;
}

/** Reads a form, whatever length was announced; one that is too large is `undefined`. */
export async function readForm(request: IncomingMessage): Promise<Form | undefined> {
  const text = await new Promise<string | undefined>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let octets = 0;
    request.on("data", (chunk: Buffer) => {
      octets += chunk.length;
      if (octets <= MOST_OCTETS) chunks.push(chunk);
      // The rest flows past: a browser reads no answer before it has sent all.
      else resolve(undefined);
    });
    request.on("end", () => resolve(Buffer.concat(chunks).toString()));
    const cutOff = (cause?: unknown): void => reject(new FormCutOff({ cause }));
    request.on("error", cutOff);
    request.on("close", () => cutOff());
  });
  return text === undefined ? undefined : parseForm(text);
}

/** The browser went away in the middle of its form. Frameworks take the status from the error. */
class FormCutOff extends Error {
  readonly status = 400;
  readonly statusCode = 400;
  readonly code = "ECONNABORTED";

  constructor(options: ErrorOptions) {
    super("the request ended before its form did", options);
  }
}

/** A request whose body something before us may have read, and kept. */
export interface ReadRequest {
  readonly headers: IncomingHttpHeaders;
  /** As parsers leave it, in place of the stream. */
  readonly body?: unknown;
  /** As hosts of functions leave it. */
  readonly rawBody?: unknown;
}

/**
 * The form of a request whose stream was read before: as an object, or as text to be parsed.
 *
 * Throws {@link ConfigError} if nobody kept it.
 */
export function keptForm({ body, rawBody, headers }: ReadRequest): object {
  for (const kept of [body, rawBody]) {
    if (typeof kept === "string") return parseForm(kept);
    if (kept instanceof Uint8Array) return parseForm(Buffer.from(kept).toString());
  }
  // Some parsers leave an empty object where they have read nothing.
  const isForm = typeof body === "object" && body !== null;
  if (isForm && (Object.keys(body).length > 0 || Symbol.iterator in body || "getAll" in body)) return body;
  if (isForm && Number(headers["content-length"] ?? 0) === 0) return body;
  throw invalidOption(
    "the body of the request was read before portier-client and is in neither request.body nor " +
      "request.rawBody: put the handlers of portier-client before whatever reads it, or keep it there",
  );
}

/** Takes a form apart. */
export function parseForm(text: string): Form {
  const form = Object.create(null) as Form;
  for (const [name, value] of new URLSearchParams(text)) {
    const before = form[name];
    if (before === undefined) form[name] = value;
    else if (typeof before === "string") form[name] = [before, value];
    else before.push(value);
  }
  return form;
}

/** A field of a form; empty if it is missing or repeated. */
export function field(form: object, name: string): string {
  const value: unknown = Object.hasOwn(form, name) ? Reflect.get(form, name) : undefined;
  return typeof value === "string" ? value : "";
}

/**
 * Whether a form comes from another site, as its browser says.
 *
 * All browsers of today say it in `Sec-Fetch-Site` over `https` and to `localhost`, and most of
 * what remains in `Origin`. Whoever sends neither is no browser that a page could misuse.
 */
export function isFromElsewhere(headers: IncomingHttpHeaders, origin: string): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  return headers.origin !== undefined && headers.origin !== origin;
}
