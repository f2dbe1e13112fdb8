/** What goes back to a browser, before a framework sends it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The headers of every answer: nothing of a login is kept in caches, or told to other sites. */
export const PRIVATE_HEADERS = { "Cache-Control": "no-store", "Referrer-Policy": "no-referrer" };

/** The headers of every page of ours: it is what it says it is, and nobody frames it. */
export const PAGE_HEADERS = {
  ...PRIVATE_HEADERS,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

const HTML_TYPE = "text/html; charset=utf-8";

/** A page that a site or this package has written. */
export function page(status: number, body: string, headers: Record<string, string>): Answer {
  return { status, headers: { "Content-Type": HTML_TYPE, ...headers }, body };
}

/** A redirection with which a form is not posted on. */
export function seeOther(url: string): Answer {
  return { status: 303, headers: { ...PRIVATE_HEADERS, Location: url }, body: "" };
}
