// Headers of every response of the example sites, and their static files.
import { readFileSync } from "node:fs";
import path from "node:path";

import { loginPolicy } from "portier-client/express";

/** The maximum size of the site's own forms, in bytes. */
export const LARGEST_FORM = 64 * 1024;

/** The static files. */
export const FILES = [
  { path: "/static/site.css", type: "text/css; charset=utf-8", body: read("site.css") },
  { path: "/static/icon.svg", type: "image/svg+xml", body: read("icon.svg") },
  { path: "/static/once.js", type: "text/javascript; charset=utf-8", body: read("once.js") },
];

/** The headers of every response. */
export function commonHeaders(client) {
  return {
    "Cache-Control": "no-store",
    "Content-Security-Policy": loginPolicy(client),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
  };
}

/** The sites in Python have the same files. */
function read(name) {
  return readFileSync(path.join(import.meta.dirname, "static", name), "utf8");
}
