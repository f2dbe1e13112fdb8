// What every answer of the example sites has, and the files they serve as they are.
import { readFileSync } from "node:fs";
import path from "node:path";

/** The most octets of a form: that with a token is the largest, and a token has 16 KiB at most. */
export const LARGEST_FORM = 64 * 1024;

/** The files beside the pages. */
export const FILES = [
  { path: "/static/site.css", type: "text/css; charset=utf-8", body: read("site.css") },
  { path: "/static/icon.svg", type: "image/svg+xml", body: read("icon.svg") },
];

// To where the broker sends people on without a page of its own: Gmail addresses to Google.
const IDENTITY_PROVIDERS = ["https://accounts.google.com"];

/** The headers of every answer. */
export function commonHeaders(client) {
  // Chromium holds a form to `form-action` through every redirect that follows it. Without these
  // origins the login form does nothing, and only the browser's console says why.
  const targets = ["'self'", client.broker, ...IDENTITY_PROVIDERS].join(" ");
  return {
    "Cache-Control": "no-store",
    "Content-Security-Policy":
      `default-src 'self'; form-action ${targets}; ` +
      "base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
  };
}

function read(name) {
  return readFileSync(path.join(import.meta.dirname, name), "utf8");
}
