/** A signature algorithm. */
export type Algorithm = "RS256" | "EdDSA";

/**
 * The OpenID Connect flow of a login: the broker sends the token through the browser (`"implicit"`), or a
 * code for which it gives the token to the site alone (`"code"`).
 */
export type Flow = "implicit" | "code";

/**
 * How the broker returns the token in the implicit flow: in a form that the browser posts, or in the fragment of
 * the URL.
 */
export type ResponseMode = "form_post" | "fragment";

/** A key of the broker that verifies tokens. */
export interface Key {
  /** The key id (`kid`) in the header of tokens. */
  readonly id: string;
  /** The algorithm of the key. */
  readonly algorithm: Algorithm;
  /** The size of the key in bits. */
  readonly bits: number;
}
