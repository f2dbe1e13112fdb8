/**
 * The base of stores that were written for the npm package `portier`. A new store is better a
 * {@link Store}, which is an object with two methods.
 *
 * A client calls `createNonce` when a login starts and `consumeNonce` when it completes, and
 * `destroy` when it is destroyed. It never calls `fetchCached` nor `fetch`: the broker's documents
 * are its own business. Such a store keeps neither a `session` text nor a binding to the browser.
 */
export abstract class AbstractStore {
  /** How long a nonce lives, in milliseconds, for `createNonce` to use. */
  nonceTtl = 15 * 60 * 1000;
  /** How long {@link fetch} may take, in milliseconds. */
  requestTimeout = 10 * 1000;
  /** How long at least a document may be kept, in milliseconds, as {@link fetch} says. */
  cacheMinTtl = 60 * 60 * 1000;

  /** Gets JSON from a cache, or from `url`. */
  abstract fetchCached(cacheId: string, url: string): Promise<unknown>;

  /** Makes a nonce, and keeps the address with it. */
  abstract createNonce(email: string): Promise<string>;

  /**
   * Uses a nonce up. Rejects if it is not there, or belongs to another address. Of any number of
   * calls for one nonce, at most one may succeed.
   */
  abstract consumeNonce(nonce: string, email: string): Promise<void>;

  /** Frees what the store holds. Does nothing, unless a store says otherwise. */
  destroy(): void {}

  /** Makes a nonce of 128 random bits. */
  generateNonce(_email: string): string {
    // Web Crypto is there when it is used; to import `node:crypto` takes milliseconds.
    return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
  }

  /** Gets JSON over HTTP, and says for how many milliseconds it may be kept. */
  async fetch(url: string): Promise<{ ttl: number; data: unknown }> {
    const response = await fetch(url, { signal: AbortSignal.timeout(this.requestTimeout) });
    if (response.status !== 200) throw new Error(`the answer is no success status=${response.status}`);
    const data: unknown = await response.json();
    if (typeof data !== "object") throw new Error("the answer is no object of JSON");
    const maxAge = /\bmax-age\s*=\s*(\d+)/i.exec(response.headers.get("cache-control") ?? "");
    return { ttl: Math.max(this.cacheMinTtl, Number(maxAge?.[1] ?? 0) * 1000), data };
  }
}
