/**
 * Exceptions of stores, by the id of the call; the addon returns only the id. An entry is removed when its error is
 * made, or when the addon reports that there will be none.
 */
const values = new Map<number, unknown>();

/** Keeps a value until it is requested. */
export function keepThrown(id: number, value: unknown): void {
  values.set(id, value);
}

/** Removes and returns a value. */
export function takeThrown(id: number): unknown {
  const value = values.get(id);
  values.delete(id);
  return value;
}
