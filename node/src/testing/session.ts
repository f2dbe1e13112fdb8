import { inspect } from "node:util";

import { invalidOption } from "../errors.js";
import { members, optionalText } from "../text.js";
import { failure, LIMIT_MS } from "./failure.js";
import type { Form } from "./forms.js";
import { isTrustworthy, Jar, type Cookie } from "./jar.js";
import { limited } from "./limit.js";
import { TestResponse } from "./response.js";
import { siteOf, type App, type Site } from "./sites.js";

/** The options of a {@link TestSession}. */
export interface SessionOptions {
  /**
   * The origin at which browsers see the site, such as `https://example.com`. A site without a URL has that of its
   * redirect URI by default, and `http://localhost` until the first login.
   */
  origin?: string | undefined;
  /**
   * The beginning of the paths that browsers see, such as `/app`, if a proxy in front of the site removes it. The site gets
   * it in the header `X-Forwarded-Prefix`. Paths may be given with it and without it.
   */
  prefix?: string | undefined;
  /** Headers of every request, such as `accept-language`. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** How long each request may take, in milliseconds; 10,000 by default. */
  timeoutMs?: number | undefined;
}

/** The fields of a form, or another body. */
export type Body = Readonly<Record<string, string>> | URLSearchParams | string;

/** A request of a browser that navigates. @internal */
export interface Step {
  method: string;
  url: URL;
  fields?: Body | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** The page with the link or form; none for an address that was typed. */
  from?: URL | undefined;
  /** Whether a page of another site caused the request, also by a redirect. */
  crossSite?: boolean | undefined;
}

const FORM = "application/x-www-form-urlencoded";
const MAX_HOPS = 20;

/** A browser without scripts at the site under test: it keeps cookies, follows redirects and sends forms. */
export class TestSession {
  /** The site. */
  readonly app: App;
  readonly #site: Site;
  readonly #jar = new Jar();
  readonly #options: SessionOptions;
  readonly #prefix: string;
  #origin: URL;
  #isKnown: boolean;
  #page: TestResponse | undefined;
  #last: Step | undefined;

  /** A browser that has not visited the site yet. */
  constructor(app: App, options: SessionOptions = {}) {
    this.app = app;
    this.#site = siteOf(app);
    this.#options = members(options, ["headers", "origin", "prefix", "timeoutMs"]) as SessionOptions;
    this.#prefix = prefixOf(options.prefix);
    const origin = this.#site.origin ?? options.origin;
    this.#origin = new URL(origin ?? "http://localhost");
    this.#isKnown = origin !== undefined;
  }

  /** The page on which the browser is, after {@link visit}, {@link submit} or a login. */
  get response(): TestResponse {
    if (this.#page === undefined) throw failure("the browser has not visited the site yet");
    return this.#page;
  }

  /** The origin of the site, as the browser sees it. */
  get origin(): string {
    return this.#origin.origin;
  }

  /** The cookies, as Playwright's `context.addCookies` takes them. */
  get cookies(): Cookie[] {
    return this.#jar.all();
  }

  /** The header `Cookie`, to send requests with a client of your own. */
  get cookie(): string {
    return this.#jar.header(this.#origin, { method: "GET", crossSite: false });
  }

  /** Sends a `GET` and follows nothing. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<TestResponse> {
    return this.request("GET", path, { headers });
  }

  /** Sends a form, or another body with a `content-type` of your own, from a page of the site. Follows nothing. */
  post(path: string, body: Body = {}, headers?: Readonly<Record<string, string>>): Promise<TestResponse> {
    return this.request("POST", path, { body, headers });
  }

  /** Sends any request from a page of the site, and follows nothing. */
  request(
    method: string,
    path: string,
    { body, headers }: { body?: Body | undefined; headers?: Readonly<Record<string, string>> | undefined } = {},
  ): Promise<TestResponse> {
    return this.#send({ method, url: this.at(path), fields: body, headers, from: this.#origin });
  }

  /** Opens a page, as if its address were typed, and follows redirects within the site. */
  async visit(path: string): Promise<TestResponse> {
    await this.navigate({ method: "GET", url: this.at(path) });
    return this.response;
  }

  /** Sends the last request again, as the browser's button does. */
  async reload(): Promise<TestResponse> {
    if (this.#last === undefined) throw failure("the browser has not visited the site yet");
    await this.navigate(this.#last);
    return this.response;
  }

  /**
   * Fills in a form of the page and sends it, with its hidden fields: the form whose `action` ends with `action`, or the
   * only one. Follows redirects within the site.
   */
  async submit(action = "", fields: Readonly<Record<string, string>> = {}): Promise<TestResponse> {
    const forms = this.response.forms.filter((form) => form.action.endsWith(action));
    const [form] = forms;
    if (form === undefined || forms.length > 1) {
      throw failure(`the page has ${forms.length} such forms action=${action}; ${this.response.describe("it")}`);
    }
    await this.submitForm(form, fields);
    return this.response;
  }

  /** Agrees to continue in this browser, on the page that asks after {@link otherBrowser}. */
  async confirm(): Promise<TestResponse> {
    const form = this.response.forms.find(({ fields }) => "portier_confirmation" in fields);
    if (form === undefined) throw failure(`the page does not ask whether to continue; ${this.response.describe("it")}`);
    await this.submitForm(form);
    return this.response;
  }

  /** Another browser at the same site. @internal */
  another(): TestSession {
    // A supertest agent would send its cookies.
    const { app, jar } = this.app as { app?: App; jar?: unknown };
    const other = new TestSession(jar !== undefined && app !== undefined ? app : this.app, this.#options);
    other.#origin = this.#origin;
    other.#isKnown = true;
    return other;
  }

  /** Moves to the origin of the redirect URI, which is the site's. @internal */
  settle({ origin, protocol, hostname }: URL): void {
    if (origin === this.origin) return;
    // Cookies do not depend on the port.
    const isSameHost = protocol === this.#origin.protocol && hostname === this.#origin.hostname;
    if (this.#isKnown && !isSameHost) {
      const problem = "the redirect URI of the site has another host than its login form, so that browsers do not send its cookies";
      throw failure(`${problem}; open the site there redirect_uri=${origin} login_form=${this.origin}`);
    }
    this.#jar.move(this.#origin.hostname, hostname);
    this.#origin = new URL(origin);
    this.#isKnown = true;
  }

  /** Whether the origin of the site is known. @internal */
  get isSettled(): boolean {
    return this.#isKnown;
  }

  /** Sends a form of the current page. Returns the responses on the way. @internal */
  submitForm(form: Form, typed: Readonly<Record<string, string>> = {}): Promise<TestResponse[]> {
    const page = new URL(this.response.url);
    const url = new URL(form.action, page);
    const fields = { ...form.fields, ...typed };
    if (form.method === "post") return this.navigate({ method: "POST", url, fields, from: page });
    url.search = new URLSearchParams(fields).toString();
    return this.navigate({ method: "GET", url, from: page });
  }

  /** Follows where a request leads, within the site. Returns the responses on the way. @internal */
  async navigate(first: Step): Promise<TestResponse[]> {
    const responses: TestResponse[] = [];
    for (let step: Step | undefined = first; step !== undefined; step = this.#next(step)) {
      if (responses.length === MAX_HOPS) throw failure(`too many redirects; ${this.response.describe("the last one,")}`);
      this.#last = step;
      this.#page = await this.#send(step);
      responses.push(this.#page);
    }
    return responses;
  }

  /** Where a response leads, as a redirect or by the script of a page of this package. */
  #next(step: Step): Step | undefined {
    const { forms, kind, location, status, url } = this.response;
    if (location !== null) {
      const target = new URL(location);
      if (target.origin !== this.origin) return undefined;
      target.hash ||= step.url.hash;
      const { from, crossSite } = step;
      return status === 307 || status === 308 ? { ...step, url: target } : { method: "GET", url: target, from, crossSite };
    }
    const post = (fields: Body, action = ""): Step => {
      return { method: "POST", url: new URL(action, url), fields, from: new URL(url) };
    };
    const [form] = forms;
    if (kind === "post" && form !== undefined) return post(form.fields, form.action);
    // The broker's answer in the fragment, which no server sees.
    const fragment = new URLSearchParams(step.url.hash.slice(1));
    return kind === "fragment" && fragment.size > 0 ? post(fragment) : undefined;
  }

  async #send({ method, url, fields, headers, from, crossSite = false }: Step): Promise<TestResponse> {
    if (url.origin !== this.origin) throw failure(`not an address of the site url=${url.origin}${url.pathname} site=${this.origin}`);
    const sent: Record<string, string> = {
      accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
      ...provenance(method, url, crossSite ? "cross-site" : from),
    };
    const cookie = this.#jar.header(url, { method, crossSite });
    if (cookie !== "") sent["cookie"] = cookie;
    const isForm = fields !== undefined && typeof fields !== "string";
    if (isForm) sent["content-type"] = FORM;
    for (const [name, value] of Object.entries({ ...this.#options.headers, ...headers })) sent[name.toLowerCase()] = value;
    // A page asks for HTML; everything else asks as a script does.
    if (!(sent["accept"] ?? "").includes("text/html") && "sec-fetch-mode" in sent) {
      Object.assign(sent, { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" });
    }
    const body = isForm ? new URLSearchParams(fields).toString() : fields;
    if (body !== undefined) sent["content-length"] = String(Buffer.byteLength(body));
    const visible = new URL(url);
    visible.hash = "";
    const { timeoutMs = LIMIT_MS } = this.#options;
    const inner = this.#behindProxy(visible);
    if (this.#prefix !== "") sent["x-forwarded-prefix"] = this.#prefix;
    const send = (signal: AbortSignal) => this.#site.send({ method, url: inner, headers: sent, body, signal });
    const reply = await limited(send, timeoutMs, `${method} ${url.origin}${url.pathname}`);
    this.#jar.keep(visible, [reply.headers["set-cookie"] ?? []].flat());
    return new TestResponse(visible, reply);
  }

  /** The address of a path, as browsers see it. @internal */
  at(path: string): URL {
    const url = new URL(path, this.#origin);
    if (url.origin === this.origin && !this.#isBelowPrefix(url)) url.pathname = this.#prefix + url.pathname;
    return url;
  }

  #isBelowPrefix({ pathname }: URL): boolean {
    return pathname === this.#prefix || pathname.startsWith(`${this.#prefix}/`);
  }

  /** The address that the site gets. */
  #behindProxy(url: URL): URL {
    if (!this.#isBelowPrefix(url)) {
      throw failure(`the address is not below the prefix of the site prefix=${this.#prefix} path=${url.pathname}`);
    }
    const inner = new URL(url);
    inner.pathname = url.pathname.slice(this.#prefix.length) || "/";
    return inner;
  }

  [inspect.custom](): string {
    return `TestSession { origin: ${inspect(this.origin)} }`;
  }
}

function prefixOf(prefix: unknown): string {
  const given = optionalText(prefix, "prefix") ?? "";
  if (given !== "" && !/^\/[^?#]*[^/?#]$/.test(given)) {
    throw invalidOption('prefix is not the beginning of a path, such as "/app"');
  }
  return given;
}

/** The headers by which browsers tell where a request comes from. */
function provenance(method: string, url: URL, from: URL | "cross-site" | undefined): Record<string, string> {
  const isCrossSite = from === "cross-site";
  const headers: Record<string, string> = {};
  if (method !== "GET" && method !== "HEAD") headers["origin"] = isCrossSite ? "null" : (from ?? url).origin;
  if (from !== undefined && !isCrossSite) headers["referer"] = from.href;
  if (!isTrustworthy(url)) return headers;
  const site = isCrossSite ? "cross-site" : from === undefined ? "none" : from.origin === url.origin ? "same-origin" : "same-site";
  return { ...headers, "sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-user": "?1" };
}
