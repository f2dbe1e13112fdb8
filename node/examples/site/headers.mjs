/**
 * The headers of every answer.
 *
 * Chromium holds a form to `form-action` through every redirect that follows it. So the broker's
 * origin must be in there, and those of the identity providers to which it sends people on: the
 * public one sends Gmail addresses to Google.
 */
export function pageHeaders(client) {
  const targets = `'self' ${client.broker} https://accounts.google.com`;
  return {
    "Cache-Control": "no-store",
    "Content-Security-Policy":
      `default-src 'self'; form-action ${targets}; ` +
      "base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
  };
}
