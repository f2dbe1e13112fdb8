import { CLASSES, isStoreError, type ErrorCode, type PortierError } from "./errors.js";
import { withNodeNames } from "./names.js";
import type { Failure } from "./native.js";
import { takeThrown } from "./store/thrown.js";

/** Creates the error for a failure that the addon reports. */
export function toError(failure: Failure): PortierError {
  const { code, message, causes, thrown, ...details } = failure;
  const value = thrown === null ? undefined : takeThrown(thrown);
  // An error of this package that a store throws is passed on.
  if (code.startsWith("store_") && isStoreError(value)) return value;
  // Messages of stores are about parameters of URLs, whose names are the same in every language.
  const rename = code.startsWith("store_") ? String : withNodeNames;
  const cause = causes.reduceRight<unknown>(
    (deeper, { code, message }) => toCause(code, rename(message), deeper),
    value,
  );
  const failed = new CLASSES[code](rename(message), { code, cause, ...details });
  // The stack begins at the caller.
  Error.captureStackTrace?.(failed, toError);
  return failed;
}

function toCause(code: ErrorCode | null, message: string, cause: unknown): Error {
  const error =
    code === null
      ? new Error(message, cause === undefined ? undefined : { cause })
      : new CLASSES[code](message, { code, cause });
  // It happened in the addon: a stack would only repeat that of the error above.
  error.stack = String(error);
  return error;
}
