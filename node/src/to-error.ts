import { CLASSES, isStoreError, type ErrorCode, type PortierError } from "./errors.js";
import { withOwnNames } from "./names.js";
import type { Failure } from "./native.js";
import { takeThrown } from "./store/thrown.js";

/** Makes the error for what the native half reports. */
export function toError(failure: Failure): PortierError {
  const { code, message, causes, thrown, ...details } = failure;
  const value = thrown === null ? undefined : takeThrown(thrown);
  // A store that throws one of our errors knows best.
  if (code.startsWith("store_") && isStoreError(value)) return value;
  // What a store reports is about its URL, which is the same in every language.
  const named = code.startsWith("store_") ? String : withOwnNames;
  const cause = causes.reduceRight<unknown>(
    (deeper, { code, message }) => link(code, named(message), deeper),
    value,
  );
  const failed = new CLASSES[code](named(message), { code, cause, ...details });
  // The trace begins at the caller, not at what happens in here.
  Error.captureStackTrace?.(failed, toError);
  return failed;
}

function link(code: ErrorCode | null, message: string, cause: unknown): Error {
  const error =
    code === null
      ? new Error(message, cause === undefined ? undefined : { cause })
      : new CLASSES[code](message, { code, cause });
  // It did not happen in JavaScript: a trace would only repeat the one above.
  error.stack = String(error);
  return error;
}
