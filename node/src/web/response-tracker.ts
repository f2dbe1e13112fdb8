import type { ServerResponse } from "node:http";

// What begins an answer, now or in a moment; some are Express's.
const ANSWERS = ["write", "end", "send", "json", "jsonp", "sendStatus", "redirect", "render", "sendFile", "download"];
// What Node refuses, by an exception, once the head of an answer is out.
const HEADS = ["writeHead", "setHeader", "appendHeader", "removeHeader"];

type Method = (...parameters: unknown[]) => unknown;

/**
 * How it stands with the answer to a request, whoever gives it.
 *
 * This can not be read off a response: with middleware that runs before an answer leaves, such as one
 * that stores a session, it shows only later. So the methods that begin an answer say it.
 */
export class ResponseTracker {
  /** Whether an answer was begun. */
  hasBegun = false;
  /** Go along with an answer whose status is less than 400. */
  cookies: readonly string[] = [];
  /** The name of the hook that ran last. */
  hook = "";
  readonly #response: ServerResponse;
  #hasCookies = false;
  #isOver = false;
  #hasWarned = false;

  /** Follows the answers of a response, from the first time that this is called for it. */
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

  /** Says that something was not sent, because it came too late. */
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
        // Not before: what other middleware has put into its place may call others of these.
        this.#isOver ||= name === "end";
      }
    };
  }

  /** Adds the cookies to the headers that `writeHead` is given, or to those that are set. */
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

/** The headers that `writeHead` was given with further cookies, if there are cookies in them. */
function headersWith(cookies: readonly string[], headers: unknown): object | undefined {
  const isSetCookie = (name: unknown): boolean => String(name).toLowerCase() === "set-cookie";
  if (Array.isArray(headers)) {
    const list = headers as unknown[];
    const pairs = list.flatMap((name, place) => (place % 2 === 0 ? [[name, list[place + 1]] as const] : []));
    const given = pairs.flatMap(([name, value]) => (isSetCookie(name) ? [value] : []));
    if (given.length === 0) return undefined;
    // As one header: of two, some versions of Node keep the last.
    return [...pairs.filter(([name]) => !isSetCookie(name)).flat(), "set-cookie", [...given.flat(), ...cookies]];
  }
  const own = headers as Record<string, unknown> | null | undefined;
  const name = Object.keys(own ?? {}).find(isSetCookie);
  return name === undefined ? undefined : { ...own, [name]: [own?.[name], ...cookies].flat() };
}
