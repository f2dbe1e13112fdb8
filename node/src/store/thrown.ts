/**
 * What stores have thrown, by the id of the question: the addon brings back the id only. An id
 * leaves here when its error is made, or when the addon says that there will be none.
 */
const values = new Map<number, unknown>();

/** Keeps a value until somebody asks for it. */
export function keepThrown(id: number, value: unknown): void {
  values.set(id, value);
}

/** Gives a value away. */
export function takeThrown(id: number): unknown {
  const value = values.get(id);
  values.delete(id);
  return value;
}
