// Passport's strategy of openid-client, as its manual says.
import { Strategy } from "openid-client/passport";

import { discover, redirectUri } from "./shared.mjs";

/** Takes the address from the link that starts a login. */
class LoginHint extends Strategy {
  authorizationRequestParams(request, options) {
    const params = super.authorizationRequestParams(request, options);
    params.set("login_hint", request.query.email);
    return params;
  }
}

/** The strategy, whose users are addresses. */
export async function openidStrategy() {
  const options = { config: await discover(), name: "portier", scope: "openid email", callbackURL: redirectUri };
  return new LoginHint(options, (tokens, done) => done(null, { email: tokens.claims().email }));
}
