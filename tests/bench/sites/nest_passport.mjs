// The login of the NestJS example, written with @nestjs/passport and the strategy of openid-client.
import { openidStrategy } from "./openid_strategy.mjs";
import { form, port, ready, require, secret } from "./shared.mjs";

require("reflect-metadata");
const { Controller, Get, Module, Redirect, Req, UseGuards } = require("@nestjs/common");
const { NestFactory } = require("@nestjs/core");
const { AuthGuard } = require("@nestjs/passport");
const session = require("express-session");
const passport = require("passport");

class Pages {
  index(request) {
    return request.user?.email ?? "";
  }

  login() {
    return form;
  }

  start() {}

  verify() {}
}

/** A guard of @nestjs/passport authenticates, but signs nobody in. */
class SignIn extends AuthGuard("portier") {
  async canActivate(context) {
    const allowed = await super.canActivate(context);
    await super.logIn(context.switchToHttp().getRequest());
    return allowed;
  }
}

// What TypeScript makes of decorators.
decorate("index", Get());
Req()(Pages.prototype, "index", 0);
decorate("login", Get("login"));
decorate("start", Get("start"), UseGuards(AuthGuard("portier")));
decorate("verify", Get("verify"), UseGuards(SignIn), Redirect("/", 303));
Controller()(Pages);

class Site {}
Module({ controllers: [Pages] })(Site);

function decorate(name, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(Pages.prototype, name);
  for (const decorator of decorators) decorator(Pages.prototype, name, descriptor);
}

passport.use(await openidStrategy());
passport.serializeUser((user, done) => done(null, user.email));
passport.deserializeUser((email, done) => done(null, { email }));

const app = await NestFactory.create(Site, { logger: ["error", "warn"] });
app.disable("x-powered-by");
app.disable("etag");
const cookie = { sameSite: "lax" };
app.use(session({ secret, cookie, resave: false, saveUninitialized: false }));
app.use(passport.session());
await app.listen(port, "localhost");
ready();
