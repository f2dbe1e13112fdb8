import { native } from "./native.js";

/**
 * Trusts what `NODE_EXTRA_CA_CERTS` names, before anything is made that may speak TLS. As with Node.js
 * itself, a file that cannot be used is a warning.
 */
export function trustExtraAuthorities(): void {
  const problem = native.trustExtraCaCerts();
  if (problem === null) return;
  process.emitWarning(`NODE_EXTRA_CA_CERTS: ${problem}`, {
    type: "PortierWarning",
    code: "PORTIER_EXTRA_CA_CERTS",
  });
}
