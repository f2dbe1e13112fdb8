import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

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
    request.on("error", reject);
    request.on("close", () => reject(new Error("the request ended before its form did")));
  });
  return text === undefined ? undefined : parseForm(text);
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
