/** The counters of a client, and the state of the broker's documents. */
export interface Stats {
  /** The broker's discovery document. */
  readonly discovery: DocumentStats;
  /** The broker's keys. */
  readonly keys: DocumentStats;
  /** How many logins were started. */
  readonly loginsStarted: number;
  /** How many logins were completed. */
  readonly loginsCompleted: number;
  /** How many calls failed, by error code. */
  readonly failures: Readonly<Record<string, number>>;
  /** How many logins are pending, if the store can tell. */
  readonly pending: number | null;
  /** How far the broker's clock is ahead of this one; null before the first response. */
  readonly clockDifferenceMs: number | null;
  /**
   * How long the starts of logins (`authenticate`), their completions (`complete`), and the requests for the broker's
   * documents (`discovery`, `keys`) took.
   */
  readonly durations: Readonly<Record<"authenticate" | "complete" | "discovery" | "keys", DurationStats>>;
}

/** How long the operations of one kind took, whether they succeeded or failed. */
export interface DurationStats {
  /** How many operations ended. */
  readonly count: number;
  /** The sum of their durations. */
  readonly totalMs: number;
  /** How many of them took at most `limitMs`, from the shortest limit to the longest. */
  readonly buckets: readonly { readonly limitMs: number; readonly count: number }[];
}

/** The state of one of the broker's documents. */
export interface DocumentStats {
  /** How many requests were sent. */
  readonly requests: number;
  /** How many fetches failed. */
  readonly failures: number;
  /** How often an expired document was used, because no newer one could be fetched. */
  readonly staleServes: number;
  /** How often a document was loaded from the store, where another process had saved it. */
  readonly sharedLoads: number;
  /** How often a different document replaced the cached one. For keys, this is a rotation. */
  readonly changes: number;
  /** How long ago the document was fetched or found unchanged; null without a document. */
  readonly ageMs: number | null;
  /** How long the document may still be used, zero if it has expired; null without a document. */
  readonly freshForMs: number | null;
  /** How long the document is used if no newer one can be fetched; null without a document. */
  readonly usableForMs: number | null;
  /**
   * How long the client waits before it fetches again after a failure, zero if it may; null if the last
   * fetch did not fail.
   */
  readonly retryInMs: number | null;
}
