// A browser without scripts: it keeps cookies, follows redirects and sends forms.
import assert from "node:assert/strict";
import { request } from "node:http";

/**
 * Someone at a browser of their own. Cookies belong to a host name, whatever its port, and those
 * with a `SameSite` flag stay at home when another site posts.
 */
export class Visitor {
  cookies = new Map();

  /** Opens an address, as if it was typed. */
  get(url, { follow = true } = {}) {
    return this.#send({ method: "GET", url, follow });
  }

  /** Sends a request that no page could. */
  request(method, url, body, headers) {
    return this.#send({ method, url, body, headers, follow: false });
  }

  /** Fills in the form of a page whose action ends with `action`, and sends it. */
  submit(page, action, fields = {}, options = {}) {
    const form = page.form(action);
    const url = new URL(form.action, page.url).href;
    return this.post(url, { ...form.fields, ...fields }, { origin: page.url, ...options });
  }

  /** Sends a form from a page at `origin`; without one, from a site of somebody else. */
  post(url, fields, { follow = true, origin } = {}) {
    const crossSite = origin === undefined || new URL(origin).hostname !== new URL(url).hostname;
    const body = new URLSearchParams(fields).toString();
    return this.#send({ method: "POST", url, body, follow, crossSite });
  }

  async #send({ follow, ...exchange }) {
    for (let hop = 0; hop < 10; hop++) {
      const page = await this.#exchange(exchange);
      if (!follow || page.status < 300 || page.status > 399) return page;
      if (exchange.method === "POST") assert.equal(page.status, 303, "what answers a form is 303");
      exchange = { method: "GET", url: new URL(page.headers.location, exchange.url).href };
    }
    throw new Error("too many redirects");
  }

  async #exchange({ method, url, body, headers = {}, crossSite = false }) {
    const { hostname } = new URL(url);
    const cookie = this.#cookiesFor(hostname, crossSite && method === "POST");
    const form = { "content-type": "application/x-www-form-urlencoded", origin: "null" };
    const sent = { cookie, ...(body === undefined ? {} : form), ...headers };
    const response = await new Promise((resolve, reject) => {
      request(url, { method, headers: sent, agent: false }, resolve).on("error", reject).end(body);
    });
    let text = "";
    for await (const part of response.setEncoding("utf8")) text += part;
    for (const value of response.headers["set-cookie"] ?? []) this.#keep(hostname, value);
    return new Page(url, response.statusCode, response.headers, text);
  }

  #cookiesFor(host, fromElsewhere) {
    return [...(this.cookies.get(host) ?? new Map())]
      .filter(([, { flags }]) => !(fromElsewhere && /samesite/i.test(flags)))
      .map(([name, { value }]) => `${name}=${value}`)
      .join("; ");
  }

  #keep(host, text) {
    const [, name, value, flags] = /^([^=]+)=([^;]*)(.*)$/.exec(text);
    const jar = this.cookies.get(host) ?? new Map();
    this.cookies.set(host, jar);
    if (value === "") jar.delete(name);
    else jar.set(name, { value, flags });
  }
}

/** What a visitor sees. */
class Page {
  constructor(url, status, headers, text) {
    Object.assign(this, { url, status, headers, text });
  }

  /** The one form whose action ends with `action`. */
  form(action = "") {
    const found = this.forms().filter((form) => form.action.endsWith(action));
    assert.equal(found.length, 1, `one form for ${action}: ${this.text}`);
    return found[0];
  }

  forms() {
    return [...this.text.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, head, inside]) => ({
      action: attribute(head, "action"),
      fields: Object.fromEntries(
        [...inside.matchAll(/<input\b([^>]*)>/gs)]
          .filter(([, input]) => attribute(input, "name") !== "")
          .map(([, input]) => [attribute(input, "name"), attribute(input, "value")]),
      ),
    }));
  }
}

function attribute(tag, name) {
  const [, value = ""] = new RegExp(`\\s${name}="([^"]*)"`).exec(tag) ?? [];
  const named = { amp: "&", lt: "<", gt: ">", quot: '"' };
  return value.replaceAll(/&(?:#(x?)([0-9a-f]+)|(\w+));/gi, (_, hex, code, entity) =>
    entity === undefined ? String.fromCodePoint(parseInt(code, hex === "" ? 10 : 16)) : named[entity],
  );
}
