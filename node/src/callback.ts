import { InvalidToken } from "./errors.js";
import { native } from "./native.js";
import { text } from "./text.js";

/**
 * What came to the redirect URI, as web frameworks hand it over. Of an object only its own members
 * count; those of other names are left alone, whatever they hold.
 */
export type CallbackParams = URLSearchParams | FormData | object;

let names: readonly string[] | undefined;

/** The parameters of the protocol, with all their values. */
export function callbackPairs(params: unknown): [string, string][] {
  if (typeof params !== "object" || params === null) {
    throw new InvalidToken("the callback is not a form", { code: "token_malformed" });
  }
  names ??= native.callbackNames();
  const pairs: [string, string][] = [];
  for (const name of names) {
    for (const value of values(params, name)) {
      pairs.push([name, text(value, `callback parameter ${name}`, "token_malformed")]);
    }
  }
  return pairs;
}

function values(params: object, name: string): unknown[] {
  if (params instanceof URLSearchParams || params instanceof FormData) return params.getAll(name);
  if (!Object.hasOwn(params, name)) return [];
  const value: unknown = Reflect.get(params, name);
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? Array.from(value) : [value];
}
