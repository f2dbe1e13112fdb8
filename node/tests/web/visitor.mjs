// A browser without scripts: it keeps cookies, follows redirects and sends forms. It has no scripts; on the page that
// posts its form again, it presses the button.
import assert from "node:assert/strict";
import http from "node:http";
import { text } from "node:stream/consumers";

const FORM = "application/x-www-form-urlencoded";

/**
 * A visitor with their own browser.
 *
 * Cookies belong to a host name, whatever its port. Those with a `SameSite` flag are not sent when another site posts.
 */
export class Visitor {
  cookies = new Map();
  /** Further headers of every request. */
  headers = {};

  /** Opens an address, like one that was typed. */
  get(url, { follow = true } = {}) {
    return this.#walk({ method: "GET", url }, follow);
  }

  /** Sends a request that no page could send. */
  request(method, url, { headers = {}, body } = {}) {
    return this.#exchange({ method, url, headers, body });
  }

  /** Fills in the form of a page whose action ends with `action`, and sends it. */
  submit(page, action = "", typed = {}, options = {}) {
    const form = page.form(action);
    const url = new URL(form.action, page.url).href;
    return this.post(url, { ...form.fields, ...typed }, { origin: page.url, ...options });
  }

  /**
   * Sends a form from a page at `origin`; by default, from another site. With `goesOn: false`, it stays on the page
   * that posts its form again.
   */
  async post(url, fields, { follow = true, goesOn = true, origin } = {}) {
    const page = await this.#post(url, fields, { follow, origin });
    if (!goesOn || !page.postsAgain) return page;
    const again = await this.#post(page.url, page.form("").pairs, { follow, origin: page.url });
    assert.ok(!again.postsAgain, "once is enough");
    return again;
  }

  #post(url, fields, { follow, origin }) {
    const elsewhere = origin === undefined || hostOf(origin) !== hostOf(url);
    const headers = { "Content-Type": FORM, ...provenance(origin, url) };
    const body = String(new URLSearchParams(fields));
    return this.#walk({ method: "POST", url, headers, body, elsewhere }, follow);
  }

  /** A cookie that a host has set. */
  cookie(name, host = "localhost") {
    return this.cookies.get(host)?.get(name);
  }

  async #walk(request, follow) {
    for (let hops = 0; hops < 10; hops++) {
      const page = await this.#exchange(request);
      if (!follow || page.status < 300 || page.status > 399) return page;
      assert.equal(page.status, 303, "what answers a form is 303");
      request = { method: "GET", url: new URL(page.headers.location, request.url).href };
    }
    throw new Error("too many redirects");
  }

  async #exchange({ method, url, headers = {}, body, elsewhere = false }) {
    const cookies = this.#cookiesFor(hostOf(url), elsewhere);
    const response = await new Promise((resolve, reject) => {
      http
        .request(url, { method, headers: { ...headers, Cookie: cookies, ...this.headers }, agent: false }, resolve)
        .on("error", reject)
        .end(body);
    });
    for (const value of response.headers["set-cookie"] ?? []) this.#keep(hostOf(url), value);
    return new Page(url, response.statusCode, response.headers, await text(response));
  }

  #cookiesFor(host, elsewhere) {
    return [...(this.cookies.get(host) ?? [])]
      .filter(([, { flags }]) => !(elsewhere && /samesite/i.test(flags)))
      .map(([name, { value }]) => `${name}=${value}`)
      .join("; ");
  }

  #keep(host, line) {
    const [, name, value, flags] = /^([^=]+)=([^;]*)(.*)$/.exec(line);
    if (!this.cookies.has(host)) this.cookies.set(host, new Map());
    if (value === "") this.cookies.get(host).delete(name);
    else this.cookies.get(host).set(name, { value, flags });
  }
}

/** The page that a visitor sees. */
class Page {
  constructor(url, status, headers, text) {
    Object.assign(this, { url, status, headers, text });
  }

  /** Whether the page posts its only form again, with cookies, by a script. */
  get postsAgain() {
    const [form, ...others] = formsOf(this.text);
    return form !== undefined && others.length === 0 && asksNobody(form.fields);
  }

  /** The only form whose action ends with `action`. */
  form(action) {
    const forms = formsOf(this.text).filter((form) => form.action.endsWith(action));
    assert.equal(forms.length, 1, `one form, at ${this.url} with status ${this.status}`);
    return forms[0];
  }
}

function asksNobody(fields) {
  return "portier_again" in fields && !("portier_confirmation" in fields);
}

export function formsOf(html) {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, tag, content]) => {
    const inputs = [...content.matchAll(/<input\b([^>]*)>/g)].map(([, input]) => attributesOf(input));
    const named = inputs.filter(({ name }) => name !== undefined);
    const pairs = named.map(({ name, value }) => [name, value ?? ""]);
    return { action: attributesOf(tag).action ?? "", fields: Object.fromEntries(pairs), pairs };
  });
}

function attributesOf(tag) {
  const found = [...tag.matchAll(/([\w-]+)="([^"]*)"/g)];
  return Object.fromEntries(found.map(([, name, value]) => [name, decoded(value)]));
}

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

export function decoded(value) {
  return value.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (entity, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? entity;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

/** The headers about the page that a form comes from; other sites' pages are sandboxed. */
function provenance(origin, url) {
  const home = new URL(url);
  if (origin === undefined || hostOf(origin) !== home.hostname) {
    return { Origin: "null", "Sec-Fetch-Site": "cross-site" };
  }
  const from = new URL(origin).origin;
  return { Origin: from, "Sec-Fetch-Site": from === home.origin ? "same-origin" : "same-site" };
}

function hostOf(url) {
  return new URL(url).hostname;
}
