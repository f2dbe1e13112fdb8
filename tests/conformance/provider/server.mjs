// Serves `oidc-provider` on the loopback interface until its input ends, and prints its port.
//
// Its settings are the defaults, except that people log in without a page, as the address in the request's hint.
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import Provider from "oidc-provider";

// `clients` has settings for every client; `accounts` has claims by address; `issuer` is appended to the origin;
// `unnamed` leaves the algorithms out of the keys.
const { clients, accounts, issuer = "", unnamed = false } = JSON.parse(process.argv[2]);

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}${issuer}`, configuration());
  const others = provider.callback();
  server.on("request", (request, response) => {
    if (!request.url.startsWith("/interaction/")) return others(request, response);
    return logIn(provider, request, response);
  });
  console.log(port);
});
process.stdin.resume().on("end", () => process.exit());

function configuration() {
  return {
    clients: clients.map(client),
    claims: { email: ["email", "email_verified"] },
    // The address is in the token, also where there is an endpoint to ask for it.
    conformIdTokenClaims: false,
    cookies: { keys: ["of no importance"] },
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "Ed25519", "EdDSA"] },
    features: { devInteractions: { enabled: false }, encryption: { enabled: true } },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...claimsOf(id) }) }),
    jwks: { keys: keys() },
    loadExistingGrant: grant,
    pkce: { required: () => true },
    responseTypes: ["id_token", "code"],
    ttl: { Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  };
}

/** A client of both flows (OpenID Connect Dynamic Registration, section 2). */
function client(metadata) {
  return {
    response_types: ["id_token", "code"],
    grant_types: ["implicit", "authorization_code"],
    token_endpoint_auth_method: "none",
    ...metadata,
  };
}

function claimsOf(id) {
  return accounts[id] ?? { email: id, email_verified: true };
}

function keys() {
  const pem = (name) => readFileSync(new URL(`../../keys/${name}.pem`, import.meta.url));
  const jwk = (key, kid, alg) => ({
    ...key.export({ format: "jwk" }),
    kid,
    use: "sig",
    ...(unnamed ? {} : { alg }),
  });
  const rsa = jwk(createPrivateKey(pem("rsa-2048-a")), "rsa", "RS256");
  if (unnamed) return [rsa];
  return [
    rsa,
    jwk(createPrivateKey(pem("rsa-2048-b")), "pss", "PS256"),
    // Serves the algorithm under both of its names (RFC 8037, RFC 9864), so the key cannot name one.
    { ...jwk(createPrivateKey(pem("ed25519-a")), "edwards"), alg: undefined },
    jwk(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey, "curve", "ES256"),
  ];
}

/** Consents to the requested scopes. */
async function grant({ oidc }) {
  const { Grant } = oidc.provider;
  const made = new Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
  made.addOIDCScope("openid email");
  await made.save();
  return made;
}

async function logIn(provider, request, response) {
  const { params } = await provider.interactionDetails(request, response);
  const answer = params.login_hint.startsWith("refuse@")
    ? { error: "access_denied", error_description: "the person said no" }
    : { login: { accountId: params.login_hint } };
  await provider.interactionFinished(request, response, answer);
}
