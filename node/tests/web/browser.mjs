// A browser for sites that are handlers of `fetch`, without a server.
import assert from "node:assert/strict";

export const ORIGIN = "https://example.com";
export const FORM = "application/x-www-form-urlencoded";

/** The names of the cookies that a response sets. */
export const namesOf = (response) => response.headers.getSetCookie().map((cookie) => cookie.split("=")[0]);
/** Where a response leads. */
export const placeOf = (response) => response.headers.get("location");

/** A browser at a site, which is a handler of `fetch`. It follows nothing. */
export class Browser {
  cookies = new Map();

  constructor(handle, broker) {
    this.handle = handle;
    this.broker = broker;
  }

  get headers() {
    return { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "), "sec-fetch-site": "same-origin" };
  }

  get(page, headers = {}) {
    return this.send(new Request(new URL(page, ORIGIN), { headers: { ...this.headers, ...headers } }));
  }

  post(page, body, headers = {}) {
    const all = { ...this.headers, "content-type": FORM, ...headers };
    return this.send(new Request(new URL(page, ORIGIN), { method: "POST", headers: all, body, duplex: "half" }));
  }

  async send(request) {
    const response = await this.handle(request);
    for (const line of response?.headers.getSetCookie() ?? []) {
      const [name, value] = line.split(";")[0].split("=");
      if (value === "") this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  /** Starts a login; returns the address of the callback. */
  async start(next = "/members") {
    const started = await this.post("/login", new URLSearchParams({ email: "Alice@Example.com", next }));
    assert.equal(started.status, 303);
    return `/verify?${new URLSearchParams(this.broker.signIn(placeOf(started)))}`;
  }

  async logIn(next) {
    return this.get(await this.start(next));
  }
}
