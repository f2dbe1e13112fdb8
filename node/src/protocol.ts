/** A signature algorithm. */
export type Algorithm = "RS256" | "EdDSA";

/** How the broker sends its answer: as a posted form, or in the fragment of the URL. */
export type ResponseMode = "form_post" | "fragment";

/** A key of the broker that can verify tokens. */
export interface Key {
  /** The key id (`kid`) by which tokens name it. */
  readonly id: string;
  /** The algorithm it verifies. */
  readonly algorithm: Algorithm;
  /** Its size. */
  readonly bits: number;
}
