import { CLASSES, invalidOption, type ErrorCode } from "./errors.js";

/** Checks that a value is a string without lone surrogates, which UTF-8 cannot represent. */
export function text(value: unknown, name: string, code: ErrorCode): string {
  if (typeof value === "string" && value.isWellFormed()) return value;
  const problem = typeof value === "string" ? "has a lone surrogate" : "is not a string";
  throw new CLASSES[code](`${name} ${problem}`, { code });
}

/** Checks an optional string. */
export function optionalText(value: unknown, name: string): string | undefined {
  return value === undefined || value === null ? undefined : text(value, name, "invalid_option");
}

/** Checks an optional boolean. */
export function flag(value: unknown, name: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw invalidOption(`${name} is not a boolean`);
  return value;
}

/** Checks an optional array of strings. */
export function texts(value: unknown, name: string): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalidOption(`${name} is not an array of strings`);
  return Array.from(value, (item) => text(item, name, "invalid_option"));
}

/**
 * Reads an object of options: only own properties, each once. An unknown name is an error, because it may be
 * a misspelt protection.
 */
export function members<Name extends string>(
  value: unknown,
  names: readonly Name[],
): { [name in Name]?: unknown } {
  if (typeof value !== "object" || value === null) throw invalidOption("options is not an object");
  for (const key of Object.keys(value)) {
    if (!(names as readonly string[]).includes(key)) throw invalidOption(`unknown option name=${key}`);
  }
  const read = new Members() as { [name in Name]?: unknown };
  for (const name of names) {
    if (Object.hasOwn(value, name)) read[name] = (value as { [name in Name]?: unknown })[name];
  }
  return read;
}

/** Reads an object of options that may be absent. */
export function membersIfAny<Name extends string>(
  value: unknown,
  names: readonly Name[],
): { readonly [name in Name]?: unknown } {
  return value === undefined || value === null ? NO_MEMBERS : members(value, names);
}

/** An object without inherited members. Unlike one of `Object.create(null)`, V8 does not keep it as a hash table. */
const Members = function () {} as unknown as new () => object;
Members.prototype = Object.freeze(Object.create(null));

const NO_MEMBERS = Object.freeze(new Members());

/** Whether a value may have a method `then`. */
export function mayBeAwaited(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** The name of a value's type. Never contains the value. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  if (!mayBeAwaited(value)) return typeof value;
  try {
    const { name } = Object(Reflect.get(value, "constructor")) as { name?: unknown };
    return typeof name === "string" && /^\w{1,64}$/.test(name) ? name : typeof value;
  } catch {
    return typeof value;
  }
}
