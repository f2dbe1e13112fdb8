/** What a client has done so far, and how it stands with its broker. */
export interface Stats {
  /** The broker's discovery document. */
  readonly discovery: DocumentStats;
  /** The broker's keys. */
  readonly keys: DocumentStats;
  /** How many logins were started. */
  readonly loginsStarted: number;
  /** How many logins were completed. */
  readonly loginsCompleted: number;
  /** How many calls failed, by the code of the error. */
  readonly failures: Readonly<Record<string, number>>;
  /** How many logins are pending, if the store can tell. */
  readonly pending: number | null;
  /** How far the broker's clock is ahead of ours; unknown before the first answer. */
  readonly clockDifferenceMs: number | null;
}

/** How it stands with one of the broker's documents. */
export interface DocumentStats {
  /** How many requests were sent. */
  readonly requests: number;
  /** How many fetches failed. */
  readonly failures: number;
  /** How often a document past its lifetime was used, because there was no newer one to be had. */
  readonly staleServes: number;
  /** How often a document was taken over that another process had fetched, instead of a request. */
  readonly sharedLoads: number;
  /**
   * How often another document took the place of the one that was kept. For the keys, that is what a
   * rotation looks like.
   */
  readonly changes: number;
  /** How long ago the document was fetched or found unchanged, if there is one. */
  readonly ageMs: number | null;
  /** How long the document may be used from now, zero once that is over, if there is one. */
  readonly freshForMs: number | null;
  /**
   * How long nobody asks for the document because the last fetch failed, zero once somebody may;
   * null if it did not fail.
   */
  readonly retryInMs: number | null;
}
