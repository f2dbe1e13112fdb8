/** A cookie, with the members that Playwright's `addCookies` takes. */
export interface Cookie {
  name: string;
  value: string;
  domain: string;
  path: string;
  /** In seconds since 1970; -1 for a cookie of the browser's session. */
  expires: number;
  httpOnly: boolean;
  secure: boolean;
  sameSite: "Strict" | "Lax" | "None";
}

/** How a browser came to send a request. */
export interface Navigation {
  method: string;
  /** Whether a page of another site caused the request. */
  crossSite: boolean;
}

/** The cookies of a browser. It refuses those that browsers refuse (RFC 6265bis). */
export class Jar {
  #cookies: Cookie[] = [];

  /** Keeps the cookies of a response: the values of its headers `Set-Cookie`. */
  keep(url: URL, lines: readonly string[]): void {
    for (const line of lines) {
      const cookie = parse(url, line);
      if (cookie === undefined) continue;
      this.#cookies = this.#cookies.filter((other) => !isSame(cookie, other));
      if (!isExpired(cookie)) this.#cookies.push(cookie);
    }
  }

  /** The header `Cookie` of a request; empty without cookies. */
  header(url: URL, { method, crossSite }: Navigation): string {
    const isSent = (cookie: Cookie): boolean => {
      if (!domainMatches(cookie, url.hostname) || !pathMatches(cookie, url.pathname)) return false;
      if (cookie.secure && !isTrustworthy(url)) return false;
      if (!crossSite) return true;
      return cookie.sameSite === "None" || (cookie.sameSite === "Lax" && method === "GET");
    };
    const sent = this.all().filter(isSent);
    sent.sort((one, other) => other.path.length - one.path.length);
    return sent.map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  /** Moves the cookies of a host to another name of the same host. */
  move(from: string, to: string): void {
    for (const cookie of this.#cookies) if (cookie.domain === from) cookie.domain = to;
  }

  /** Every cookie that has not expired. */
  all(): Cookie[] {
    this.#cookies = this.#cookies.filter((cookie) => !isExpired(cookie));
    return this.#cookies.map((cookie) => ({ ...cookie }));
  }
}

/** Whether browsers treat an origin as secure. */
export function isTrustworthy({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || isLoopback(hostname);
}

/** Whether a host is this machine. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Reads the value of a header `Set-Cookie`; nothing if browsers would refuse the cookie. */
function parse(url: URL, line: string): Cookie | undefined {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
  const equals = pair.indexOf("=");
  if (equals < 1) return undefined;
  const name = pair.slice(0, equals).trim();
  const given = new Map<string, string>();
  for (const attribute of attributes) {
    const [key = "", ...value] = attribute.split("=");
    given.set(key.trim().toLowerCase(), value.join("=").trim());
  }
  const path = given.get("path") ?? "";
  const domain = (given.get("domain") ?? "").replace(/^\./, "").toLowerCase();
  const cookie: Cookie = {
    name,
    value: pair.slice(equals + 1).trim(),
    // With a leading dot, it is also sent to subdomains.
    domain: domain === "" ? url.hostname : `.${domain}`,
    path: path.startsWith("/") ? path : defaultPath(url),
    expires: expiry(given.get("max-age"), given.get("expires")),
    httpOnly: given.has("httponly"),
    secure: given.has("secure"),
    sameSite: sameSite(given.get("samesite")),
  };
  const isHost = /^__Host-/i.test(name) && (domain !== "" || path !== "/" || !cookie.secure);
  const isRefused =
    isHost ||
    (/^__Secure-/i.test(name) && !cookie.secure) ||
    (cookie.secure && !isTrustworthy(url)) ||
    (cookie.sameSite === "None" && !cookie.secure) ||
    !domainMatches(cookie, url.hostname);
  return isRefused ? undefined : cookie;
}

function sameSite(value = ""): Cookie["sameSite"] {
  return value.toLowerCase() === "strict" ? "Strict" : value.toLowerCase() === "none" ? "None" : "Lax";
}

function expiry(maxAge: string | undefined, expires: string | undefined): number {
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Math.max(0, Date.now() / 1000 + Number(maxAge));
  const time = Date.parse(expires ?? "");
  return Number.isNaN(time) ? -1 : Math.max(0, time / 1000);
}

function isExpired({ expires }: Cookie): boolean {
  return expires !== -1 && expires <= Date.now() / 1000;
}

function isSame(one: Cookie, other: Cookie): boolean {
  return one.name === other.name && one.domain === other.domain && one.path === other.path;
}

function domainMatches({ domain }: Cookie, hostname: string): boolean {
  return domain.startsWith(".") ? `.${hostname}`.endsWith(domain) : hostname === domain;
}

function pathMatches({ path }: Cookie, pathname: string): boolean {
  if (pathname === path) return true;
  return pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
}

function defaultPath({ pathname }: URL): string {
  return pathname.slice(0, pathname.lastIndexOf("/")) || "/";
}
