// Other packages that verify the same tokens, each set up as its manual recommends for speed.
import { createPublicKey, verify as verifySignature } from "node:crypto";

import { JwtVerifier } from "aws-jwt-verify";
import { createVerifier } from "fast-jwt";
import { createLocalJWKSet, jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";
import portier from "portier";

const LEEWAY_S = 180;

/**
 * Verifiers with the broker's keys in the cache, and the result of a call.
 *
 * Only `portier` checks nonces. The others stop after the claims, so they do less than a login needs.
 */
export async function makePeers(issuer, audience) {
  const published = await (await fetch(`${issuer}/keys.json`)).json();
  const jwks = { keys: published.keys.filter(({ kty }) => kty === "RSA") };
  const keys = new Map(jwks.keys.map((key) => [key.kid, createPublicKey({ format: "jwk", key })]));
  return {
    node_crypto: (token) => verifyWithNode(token, keys),
    jose: jose(jwks, issuer, audience),
    fast_jwt: fastJwt(keys, issuer, audience),
    jsonwebtoken: (token) =>
      jsonwebtoken.verify(token, keyOf(token, keys), {
        algorithms: ["RS256"],
        issuer,
        audience,
        clockTolerance: LEEWAY_S,
      }),
    aws_jwt_verify: awsJwtVerify(jwks, issuer, audience),
  };
}

/** The package whose users this package is for. It looks into its store for every document. */
export function makePortier(issuer, redirectUri) {
  return new portier.PortierClient({ broker: issuer, redirectUri });
}

/** The minimum for a verifier with Node's own crypto: split, find the key, check. */
function verifyWithNode(token, keys) {
  const [header, payload, signature] = token.split(".");
  const message = Buffer.from(`${header}.${payload}`);
  if (!verifySignature("sha256", message, keyOf(token, keys), Buffer.from(signature, "base64url"))) {
    throw new Error("the signature does not hold");
  }
}

function keyOf(token, keys) {
  const { kid } = JSON.parse(Buffer.from(token.slice(0, token.indexOf(".")), "base64url"));
  return keys.get(kid);
}

function jose(jwks, issuer, audience) {
  const keys = createLocalJWKSet(jwks);
  const options = { algorithms: ["RS256"], issuer, audience, clockTolerance: LEEWAY_S };
  return (token) => jwtVerify(token, keys, options);
}

function fastJwt(keys, issuer, audience) {
  const verifiers = new Map(
    [...keys].map(([kid, key]) => [
      kid,
      createVerifier({
        key: key.export({ type: "spki", format: "pem" }),
        algorithms: ["RS256"],
        allowedIss: issuer,
        allowedAud: audience,
        clockTolerance: LEEWAY_S * 1000,
        cache: false,
      }),
    ]),
  );
  return (token) => keyOf(token, verifiers)(token);
}

function awsJwtVerify(jwks, issuer, audience) {
  const options = { issuer, audience, jwksUri: `${issuer}/keys.json`, graceSeconds: LEEWAY_S };
  const verifier = JwtVerifier.create(options);
  verifier.cacheJwks(jwks);
  return (token) => verifier.verifySync(token);
}
