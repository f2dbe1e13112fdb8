import type { ServerResponse } from "node:http";

// The methods that start a response; some are of Express.
const ANSWERS = ["write", "end", "send", "json", "jsonp", "sendStatus", "redirect", "render", "sendFile", "download"];
// The methods that throw once the headers of a response were sent.
const HEADS = ["writeHead", "setHeader", "appendHeader", "removeHeader"];

type Method = (...parameters: unknown[]) => unknown;

/**
 * Tracks whether a response was started, by whatever code.
 *
 * The properties of a response do not show it in time: middleware that stores a session delays the response. So the
 * methods that start a response are wrapped.
 */
export class ResponseTracker {
  /** Whether a response was started. */
  hasBegun = false;
  /** The cookies that are added to a response with a status below 400. */
  cookies: readonly string[] = [];
  /** The name of the hook that ran last. */
  hook = "";
  readonly #response: ServerResponse;
  #hasCookies = false;
  #isOver = false;
  #hasWarned = false;

  /** Returns the tracker of a response. The first call for a response begins to track it. */
  static of(response: ServerResponse): ResponseTracker {
    const known = followed.get(response);
    if (known !== undefined) return known;
    const made = new ResponseTracker(response);
    followed.set(response, made);
    return made;
  }

  private constructor(response: ServerResponse) {
    this.#response = response;
    for (const name of [...ANSWERS, ...HEADS]) {
      const method: unknown = Reflect.get(response, name);
      if (typeof method === "function") Reflect.set(response, name, this.#around(name, method as Method));
    }
  }

  /** Warns that something came too late and was not sent. */
  warn(method: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const message =
      `${this.hook} called ${method} when the request had been answered, to no effect: ` +
      "a hook that answers has to do so before it returns, or before its promise settles";
    process.emitWarning(message, { type: "PortierWarning", code: "PORTIER_LATE_ANSWER" });
  }

  #around(name: string, method: Method): Method {
    const response = this.#response;
    const isAnswer = ANSWERS.includes(name);
    const beginsHead = ["write", "end", "writeHead"].includes(name);
    return (...parameters) => {
      if (this.#isOver && (isAnswer || response.headersSent)) {
        this.warn(name);
        return response;
      }
      this.hasBegun ||= isAnswer || name === "writeHead";
      const completed = beginsHead ? this.#withCookies(name, parameters) : parameters;
      try {
        return Reflect.apply(method, response, completed);
      } finally {
        // Not before the call: a method that other middleware has replaced may call other methods of these.
        this.#isOver ||= name === "end";
      }
    };
  }

  /** Adds the cookies to the headers that `writeHead` gets, or to the headers that are set. */
  #withCookies(name: string, parameters: unknown[]): unknown[] {
    const response = this.#response;
    const [given] = name === "writeHead" ? parameters : [];
    const status = typeof given === "number" ? given : response.statusCode;
    if (this.#hasCookies || this.cookies.length === 0 || response.headersSent || status >= 400) return parameters;
    this.#hasCookies = true;
    const headers = parameters.find((parameter) => name === "writeHead" && typeof parameter === "object");
    const completed = headersWith(this.cookies, headers);
    if (completed === undefined) {
      const before = response.getHeader("set-cookie") ?? [];
      response.setHeader("set-cookie", [before, this.cookies].flat(2).map(String));
      return parameters;
    }
    return parameters.map((parameter) => (parameter === headers ? completed : parameter));
  }
}

const followed = new WeakMap<ServerResponse, ResponseTracker>();

/** The headers that `writeHead` got, with further cookies; `undefined` if they contain no cookies. */
function headersWith(cookies: readonly string[], headers: unknown): object | undefined {
  const isSetCookie = (name: unknown): boolean => String(name).toLowerCase() === "set-cookie";
  if (Array.isArray(headers)) {
    const list = headers as unknown[];
    const pairs = list.flatMap((name, place) => (place % 2 === 0 ? [[name, list[place + 1]] as const] : []));
    const given = pairs.flatMap(([name, value]) => (isSetCookie(name) ? [value] : []));
    if (given.length === 0) return undefined;
    // As one header: some versions of Node keep only the last of two.
    return [...pairs.filter(([name]) => !isSetCookie(name)).flat(), "set-cookie", [...given.flat(), ...cookies]];
  }
  const own = headers as Record<string, unknown> | null | undefined;
  const name = Object.keys(own ?? {}).find(isSetCookie);
  return name === undefined ? undefined : { ...own, [name]: [own?.[name], ...cookies].flat() };
}
