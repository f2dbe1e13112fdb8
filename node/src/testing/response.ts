import { inspect } from "node:util";

import { formsOf, textOf, type Form } from "./forms.js";
import type { SiteReply } from "./sites.js";

/** A response of the site under test. */
export class TestResponse {
  /** The address, as browsers see it. */
  readonly url: string;
  readonly status: number;
  // Private, so that Node prints neither for an error that nobody catches: the page would hide the message.
  readonly #headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly #text: string;

  /** @internal */
  constructor(url: URL, { status, headers, text }: SiteReply) {
    this.url = url.href;
    this.status = status;
    this.#headers = headers;
    this.#text = text;
  }

  /** The headers, with names in lower case; `set-cookie` is an array. */
  get headers(): Readonly<Record<string, string | string[] | undefined>> {
    return this.#headers;
  }

  /** The body. */
  get text(): string {
    return this.#text;
  }

  /** The body, read as JSON. */
  json<Value = unknown>(): Value {
    return JSON.parse(this.text) as Value;
  }

  /**
   * The id of the problem that the response is about, such as `used` or `cancelled`; `null` for other responses. A page of
   * the site's own has it if its `<main>` has the attribute `data-id`.
   */
  get problem(): string | null {
    const [, page] = /<main\b[^>]*\sdata-id="([\w-]+)"/.exec(this.text) ?? [];
    const [, json] = /^\{.*"type":\s*"urn:portier-client:problem:([\w-]+)"/s.exec(this.text) ?? [];
    return page ?? json ?? null;
  }

  /** Where the response redirects to, as an absolute address; `null` if it does not. */
  get location(): string | null {
    const { location } = this.headers;
    if (this.status < 300 || this.status > 399 || typeof location !== "string") return null;
    return URL.canParse(location, this.url) ? new URL(location, this.url).href : location;
  }

  /** @internal */
  get forms(): Form[] {
    return formsOf(this.text);
  }

  /** @internal */
  get kind(): string | undefined {
    return /<main\b[^>]*\sdata-portier="(\w+)"/.exec(this.text)?.[1];
  }

  /**
   * A sentence about the response, without the query of its address, which has secrets of the login.
   *
   * @internal
   */
  describe(method: string): string {
    const { pathname } = new URL(this.url);
    const problem = this.problem === null ? "" : ` (problem ${this.problem})`;
    const text = textOf(this.text).slice(0, 300);
    return `${method} ${pathname} answered ${this.status}${problem}${text === "" ? "" : `: ${text}`}`;
  }

  [inspect.custom](): string {
    return `TestResponse { url: ${inspect(this.url.split(/[?#]/, 1)[0])}, status: ${this.status} }`;
  }
}
