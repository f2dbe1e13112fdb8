import { native } from "./native.js";

/**
 * Trusts the certificates of `NODE_EXTRA_CA_CERTS`. It is called before anything is created that uses TLS.
 * As in Node.js, a file that cannot be used causes a warning.
 */
export function trustExtraAuthorities(): void {
  const problem = native.trustExtraCaCerts();
  if (problem === null) return;
  process.emitWarning(`NODE_EXTRA_CA_CERTS: ${problem}`, {
    type: "PortierWarning",
    code: "PORTIER_EXTRA_CA_CERTS",
  });
}
