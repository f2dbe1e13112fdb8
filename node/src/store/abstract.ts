/**
 * The base class of stores written for the npm package `portier`. For a new store, use {@link Store}, which is
 * an object with two methods.
 *
 * A client calls `createNonce` when a login starts, `consumeNonce` when it completes, and `destroy` when the
 * client is destroyed. It never calls `fetchCached` and `fetch`: the client fetches the broker's documents
 * itself. Such a store keeps neither a `session` nor a binding to the browser.
 */
export abstract class AbstractStore {
  /** How long `createNonce` should keep a nonce, in milliseconds. */
  nonceTtl = 15 * 60 * 1000;
  /** The time limit of {@link fetch}, in milliseconds. */
  requestTimeout = 10 * 1000;
  /** The shortest lifetime that {@link fetch} returns, in milliseconds. */
  cacheMinTtl = 60 * 60 * 1000;

  /** Returns JSON from a cache, or from `url`. */
  abstract fetchCached(cacheId: string, url: string): Promise<unknown>;

  /** Creates a nonce, and keeps the address with it. */
  abstract createNonce(email: string): Promise<string>;

  /**
   * Removes a nonce. Rejects if it does not exist, or belongs to another address. At most one call for a nonce may
   * succeed, even if calls run at the same time.
   */
  abstract consumeNonce(nonce: string, email: string): Promise<void>;

  /** Frees the resources of the store. Does nothing by default. */
  destroy(): void {}

  /** Creates a nonce of 128 random bits. */
  generateNonce(_email: string): string {
    // Web Crypto is loaded when it is used. Importing `node:crypto` takes milliseconds.
    return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
  }

  /** Fetches JSON, and returns for how many milliseconds it may be kept. */
  async fetch(url: string): Promise<{ ttl: number; data: unknown }> {
    const response = await fetch(url, { signal: AbortSignal.timeout(this.requestTimeout) });
    if (response.status !== 200) throw new Error(`unexpected HTTP status of the response status=${response.status}`);
    const data: unknown = await response.json();
    if (typeof data !== "object") throw new Error("the response is not a JSON object");
    const maxAge = /\bmax-age\s*=\s*(\d+)/i.exec(response.headers.get("cache-control") ?? "");
    return { ttl: Math.max(this.cacheMinTtl, Number(maxAge?.[1] ?? 0) * 1000), data };
  }
}
