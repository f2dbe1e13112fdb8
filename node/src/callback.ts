import { InvalidToken } from "./errors.js";
import { native } from "./native.js";
import { text, typeName } from "./text.js";

/**
 * What came to the redirect URI, as web frameworks hand it over: `URLSearchParams`, `FormData`, a `Map`,
 * pairs of names and values, or an object with the names as its own members. Parameters of other names are
 * left alone, whatever they hold.
 */
export type CallbackParams = URLSearchParams | FormData | object;

let names: readonly string[] | undefined;

/** The parameters of the protocol, with all their values. */
export function callbackPairs(params: unknown): [string, string][] {
  names ??= native.callbackNames();
  const valuesOf = formReader(params, names);
  const pairs: [string, string][] = [];
  for (const name of names) {
    for (const value of valuesOf(name)) {
      pairs.push([name, text(value, `callback parameter ${name}`, "token_malformed")]);
    }
  }
  return pairs;
}

/** Gives all values of a name. */
type Reader = (name: string) => unknown[];

/**
 * Reads a form by what it can do, not by its class: it may be of another realm or another library. `names`
 * are those that an object of a class of its own has at least one of.
 */
export function formReader(params: unknown, names: readonly string[]): Reader {
  if (typeof params !== "object" || params === null) throw notAForm(params);
  if (typeof Reflect.get(params, "getAll") === "function") {
    const form = params as { getAll(name: string): Iterable<unknown> };
    const values = new Map(names.map((name) => [name, Array.from(form.getAll(name))]));
    return (name) => values.get(name) ?? [];
  }
  if (typeof Reflect.get(params, Symbol.iterator) === "function") return readerOfPairs(params);
  if (!isPlain(params) && !names.some((name) => Object.hasOwn(params, name))) throw notAForm(params);
  const values = new Map(names.map((name) => [name, ownValues(params, name)]));
  return (name) => values.get(name) ?? [];
}

function readerOfPairs(params: object): Reader {
  const values = new Map<string, unknown[]>();
  for (const pair of params as Iterable<unknown>) {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string") throw notAForm(params);
    const [name, value] = pair as [string, unknown];
    values.set(name, [...(values.get(name) ?? []), ...several(value)]);
  }
  return (name) => values.get(name) ?? [];
}

function ownValues(params: object, name: string): unknown[] {
  return Object.hasOwn(params, name) ? several(Reflect.get(params, name)) : [];
}

/** The values of a field as parsers of forms give them: none, one, or a list. */
function several(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? Array.from(value as unknown[]) : [value]).map(content);
}

/** The text of a field that a parser of multipart forms describes by an object. */
function content(value: unknown): unknown {
  const described = Object(value) as { type?: unknown; value?: unknown };
  const isField = Object.hasOwn(described, "type") && Object.hasOwn(described, "value") && described.type === "field";
  return isField ? described.value : value;
}

/** Whether an object may be a form that is empty; anything else has members of its own, or is no form. */
function isPlain(params: object): boolean {
  const prototype = Object.getPrototypeOf(params) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function notAForm(value: unknown): InvalidToken {
  const message = `the callback is not a form type=${typeName(value)}`;
  return new InvalidToken(message, { code: "token_malformed" });
}
