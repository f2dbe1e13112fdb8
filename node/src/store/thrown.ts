/**
 * The values that stores have thrown, by the id of the store's call. The addon knows only the id. A value is
 * removed when its error is created, or when the addon reports that no error will need it.
 */
const values = new Map<number, unknown>();

/** Keeps a thrown value. */
export function keepThrown(id: number, value: unknown): void {
  values.set(id, value);
}

/** Removes a thrown value and returns it. */
export function takeThrown(id: number): unknown {
  const value = values.get(id);
  values.delete(id);
  return value;
}
