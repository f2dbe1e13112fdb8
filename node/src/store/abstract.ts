/**
 * The base class of stores that were written for the npm package `portier`. For a new store, use a {@link Store}, an
 * object with two methods.
 *
 * A client calls `createNonce` when a login starts, `consumeNonce` when it completes, and `destroy` when it is
 * destroyed. It never calls `fetchCached` or `fetch`, because it fetches the broker's documents itself. Such a store
 * keeps neither a `session` text nor a binding to the browser.
 */
export abstract class AbstractStore {
  /** The lifetime of a nonce in milliseconds, for `createNonce`. */
  nonceTtl = 15 * 60 * 1000;
  /** The time limit of {@link fetch}, in milliseconds. */
  requestTimeout = 10 * 1000;
  /** The minimum time that a document is cached, in milliseconds, for {@link fetch}. */
  cacheMinTtl = 60 * 60 * 1000;

  /** Gets JSON from a cache, or from `url`. */
  abstract fetchCached(cacheId: string, url: string): Promise<unknown>;

  /** Makes a nonce, and stores the address with it. */
  abstract createNonce(email: string): Promise<string>;

  /**
   * Uses a nonce up. Rejects if the nonce is unknown, or belongs to another address. Of any number of calls for one
   * nonce, at most one may succeed.
   */
  abstract consumeNonce(nonce: string, email: string): Promise<void>;

  /** Releases the resources of the store. The default does nothing. */
  destroy(): void {}

  /** Makes a nonce of 128 random bits. */
  generateNonce(_email: string): string {
    // Importing `node:crypto` takes milliseconds; Web Crypto is loaded on first use.
    return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
  }

  /** Fetches JSON over HTTP, and returns it with the number of milliseconds for which it may be cached. */
  async fetch(url: string): Promise<{ ttl: number; data: unknown }> {
    const response = await fetch(url, { signal: AbortSignal.timeout(this.requestTimeout) });
    if (response.status !== 200) throw new Error(`the answer is no success status=${response.status}`);
    const data: unknown = await response.json();
    if (typeof data !== "object") throw new Error("the answer is no object of JSON");
    const maxAge = /\bmax-age\s*=\s*(\d+)/i.exec(response.headers.get("cache-control") ?? "");
    return { ttl: Math.max(this.cacheMinTtl, Number(maxAge?.[1] ?? 0) * 1000), data };
  }
}
