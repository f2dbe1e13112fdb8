/** A signature algorithm. */
export type Algorithm = "RS256" | "EdDSA";

/** How the broker returns the token: in a form that the browser posts, or in the fragment of the URL. */
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
