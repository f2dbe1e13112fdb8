// Shared code of the sites with other packages: settings, forms, signed cookies, and openid-client.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

import * as openid from "openid-client";

export { require } from "../common.mjs";

export const broker = process.env.BROKER;
export const port = Number(process.env.PORT);
export const origin = `http://localhost:${port}`;
export const redirectUri = `${origin}/verify`;
export const secret = randomBytes(32).toString("base64url");

export const form = `<!doctype html><title>Sign in</title><form method="post" action="/login">
<input type="email" name="email"><button>Sign in</button></form>`;

/** Says that the site can be used. */
export function ready() {
  console.log(`Open ${origin}`);
}

/** The configuration of openid-client; it is public and over http, like the development broker. */
export function discover() {
  const execute = [openid.allowInsecureRequests];
  return openid.discovery(new URL(broker), origin, undefined, openid.None(), { execute });
}

/** The code flow with openid-client, as its manual says. */
export async function openidClient() {
  const config = await discover();
  return {
    /** The URL to redirect to, and what the session has to keep. */
    async start(email) {
      const verifier = openid.randomPKCECodeVerifier();
      const kept = { verifier, state: openid.randomState(), nonce: openid.randomNonce() };
      const url = openid.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: "openid email",
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        state: kept.state,
        nonce: kept.nonce,
        login_hint: email,
      });
      return { url: url.href, kept };
    },
    /** The address of the person who has signed in. */
    async email(target, { verifier, state, nonce }) {
      const tokens = await openid.authorizationCodeGrant(config, new URL(target, origin), {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      return tokens.claims().email;
    },
  };
}

/** The `Set-Cookie` header of a signed cookie. */
export function signed(name, value) {
  const text = Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${name}=${text}.${signature(name, text)}; Path=/; HttpOnly; SameSite=Lax`;
}

/** The value of a signed cookie; `undefined` if there is none. */
export function unsigned(name, header = "") {
  const start = `${name}=`;
  const found = header.split("; ").find((cookie) => cookie.startsWith(start));
  const [text, given] = found?.slice(start.length).split(".") ?? [];
  if (!given) return undefined;
  const [expected, sent] = [Buffer.from(signature(name, text)), Buffer.from(given)];
  if (expected.length !== sent.length || !timingSafeEqual(expected, sent)) return undefined;
  return JSON.parse(Buffer.from(text, "base64url"));
}

function signature(name, text) {
  return createHmac("sha256", secret).update(`${name}=${text}`).digest("base64url");
}
