import { native } from "./native.js";

/**
 * Trusts what Node.js trusts besides the system: the certificates of `NODE_EXTRA_CA_CERTS` and, on a system without
 * authorities, such as the image `node:slim`, those that are built into Node.js. It is called before anything is created
 * that uses TLS. As in Node.js, a file that cannot be used causes a warning.
 */
export function trustExtraAuthorities(): void {
  native.trustWithoutSystem(() => (require("node:tls") as typeof import("node:tls")).rootCertificates.join("\n"));
  const problem = native.trustExtraCaCerts();
  if (problem === null) return;
  process.emitWarning(`NODE_EXTRA_CA_CERTS: ${problem}`, {
    type: "PortierWarning",
    code: "PORTIER_EXTRA_CA_CERTS",
  });
}
