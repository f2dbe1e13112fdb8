import { native } from "./native.js";

/** The variables with which Node.js and Bun, and Deno, trust further authorities. */
const VARIABLES = "Deno" in globalThis ? ["NODE_EXTRA_CA_CERTS", "DENO_CERT"] : ["NODE_EXTRA_CA_CERTS"];

/**
 * Trusts what the runtime trusts besides the system: the certificates of `NODE_EXTRA_CA_CERTS`, on Deno also those of
 * `DENO_CERT`, and, on a system without authorities, such as the image `node:slim`, those that are built into Node.js. It is
 * called before anything is created that uses TLS. As in Node.js, a file that cannot be used causes a warning.
 */
export function trustExtraAuthorities(): void {
  native.trustWithoutSystem(() => (require("node:tls") as typeof import("node:tls")).rootCertificates.join("\n"));
  for (const problem of native.trustExtraCaCerts(VARIABLES)) {
    process.emitWarning(problem, { type: "PortierWarning", code: "PORTIER_EXTRA_CA_CERTS" });
  }
}
