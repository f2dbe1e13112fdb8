import { InvalidToken } from "./errors.js";
import { native } from "./native.js";
import { text, typeName } from "./text.js";

/**
 * The parameters that came to the redirect URI, in any form that web frameworks provide: `URLSearchParams`,
 * `FormData`, a `Map`, pairs of names and values, or an object with the names as own properties. Parameters
 * of other names are ignored.
 */
export type CallbackParams = URLSearchParams | FormData | object;

let names: readonly string[] | undefined;

/** Returns the parameters of the protocol, with all their values. */
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

/** Returns all values of a name. */
type Reader = (name: string) => unknown[];

/**
 * Reads a form by its methods, not by its class: it may be of another realm or library. An object of any
 * other class counts as a form only if it has one of `names` as an own property.
 */
export function formReader(params: unknown, names: readonly string[]): Reader {
  if (typeof params !== "object" || params === null) throw notAForm(params);
  if (typeof Reflect.get(params, "getAll") === "function") {
    const form = params as { getAll(name: string): unknown };
    const values = new Map(names.map((name) => [name, several(form.getAll(name))]));
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

/** The values of a field. Parsers of forms give none, one, or a list. */
function several(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? Array.from(value as unknown[]) : [value]).map(content);
}

/** The text of a field. Parsers of multipart forms give an object that describes the field. */
function content(value: unknown): unknown {
  const described = Object(value) as { type?: unknown; value?: unknown };
  const isField = Object.hasOwn(described, "type") && Object.hasOwn(described, "value") && described.type === "field";
  return isField ? described.value : value;
}

/** Whether an object has no class, so that it may be an empty form. */
function isPlain(params: object): boolean {
  const prototype = Object.getPrototypeOf(params) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function notAForm(value: unknown): InvalidToken {
  const message = `the callback is not a form type=${typeName(value)}`;
  return new InvalidToken(message, { code: "token_malformed" });
}
