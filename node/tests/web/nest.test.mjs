// Sites on NestJS: what its users do beside the login.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { All, Catch, Controller, Module, Post, Req, Res, UseGuards } from "@nestjs/common";
import { APP_GUARD } from "@nestjs/core";
import { AuthGuard, PassportStrategy } from "@nestjs/passport";
import { Test } from "@nestjs/testing";
import session from "express-session";
import helmet from "helmet";
import PortierClient, { ConfigError } from "portier-client";
import { PortierGuard, PortierModule, PortierService } from "portier-client/nest";
import { Strategy } from "portier-client/passport";
import { DevBroker } from "portier-client/testing";

import { decorate, logIn, pages, PLATFORMS, SECRET, serve } from "./nest_site.mjs";
import { Visitor } from "./visitor.mjs";

let broker;
before(() => {
  broker = new DevBroker();
});
after(() => broker.stop());

for (const platform of PLATFORMS) {
  describe(`NestJS on ${platform}`, { timeout: 60_000 }, () => {
    test("a guarded page leads to the login and back", async (t) => {
      const site = await serve(t, platform, broker);
      const visitor = new Visitor();
      const asked = await visitor.get(`${site.origin}/members`, { follow: false });
      assert.deepEqual([asked.status, asked.headers.location], [303, "/?next=%2Fmembers"]);
      const done = await logIn(visitor, site);
      assert.deepEqual([done.status, done.headers.location], [303, "/members"]);
      assert.equal((await visitor.get(`${site.origin}/members`)).text, "for alice@example.com");
      const out = await visitor.post(`${site.origin}/logout`, {}, { follow: false, origin: site.origin });
      assert.deepEqual([out.status, out.headers.location], [303, "/"]);
      assert.equal((await visitor.get(site.origin)).text, "nobody");
    });

    test("a script gets a problem from a guarded page", async (t) => {
      const site = await serve(t, platform, broker);
      const response = await fetch(`${site.origin}/members`, { headers: { accept: "application/json" } });
      assert.equal(response.status, 401);
      assert.match(response.headers.get("content-type"), /^application\/problem\+json/);
      assert.equal((await response.json()).type, "urn:portier-client:problem:not_signed_in");
    });

    test("a filter of the site may respond instead of the guard", async (t) => {
      class Filter {
        catch(error, host) {
          host.switchToHttp().getResponse().status(418).send(`in own words: ${error.getStatus()}`);
        }
      }
      Catch()(Filter);
      const site = await serve(t, platform, broker, { setUp: (app) => void app.useGlobalFilters(new Filter()) });
      const page = await new Visitor().get(`${site.origin}/members`);
      assert.deepEqual([page.status, page.text], [418, "in own words: 303"]);
    });

    test("a global guard leaves the login and public pages open", async (t) => {
      const providers = [{ provide: APP_GUARD, useExisting: PortierGuard }];
      const module = (client) => ({ imports: [PortierModule.forRoot({ client, secret: SECRET })], providers });
      const site = await serve(t, platform, broker, { module });
      const visitor = new Visitor();
      assert.equal((await visitor.get(site.origin)).text, "nobody");
      assert.equal((await visitor.get(`${site.origin}/members`, { follow: false })).status, 303);
      assert.equal((await logIn(visitor, site)).status, 303);
      assert.equal((await visitor.get(`${site.origin}/members`)).text, "for alice@example.com");
    });

    test("a global prefix is part of the paths", async (t) => {
      const options = { loginPath: "/api/login", logoutPath: null, loginUrl: "/sign-in" };
      const setUp = (app) => void app.setGlobalPrefix("api");
      const site = await serve(t, platform, broker, { options, path: "/api/verify", setUp });
      const visitor = new Visitor();
      const asked = await visitor.get(`${site.origin}/api/members`, { follow: false });
      assert.equal(asked.headers.location, "/sign-in?next=%2Fapi%2Fmembers");
      const done = await logIn(visitor, site, { path: "/api/login", next: "/api/members" });
      assert.deepEqual([done.status, done.headers.location], [303, "/api/members"]);
      assert.equal((await visitor.get(`${site.origin}/api/members`)).text, "for alice@example.com");
      for (const path of ["/api/logout", "/login"]) {
        assert.equal((await visitor.post(site.origin + path, {}, { origin: site.origin })).status, 404, path);
      }
    });

    test("options may depend on providers of the site", async (t) => {
      const logins = [];
      class Users {
        signIn(email) {
          logins.push(email);
        }
      }
      class UsersModule {}
      Module({ providers: [Users], exports: [Users] })(UsersModule);
      const module = (client) => {
        const useFactory = async (users) => ({ client, onLogin: ({ email }) => users.signIn(email) });
        return { imports: [PortierModule.forRootAsync({ imports: [UsersModule], inject: [Users], useFactory })] };
      };
      const site = await serve(t, platform, broker, { module });
      assert.equal((await logIn(new Visitor(), site)).status, 303);
      assert.deepEqual(logins, ["alice@example.com"]);
    });

    test("the error of a hook goes to the filters of the site", async (t) => {
      const failed = new Error("the site has failed");
      const seen = [];
      class Filter {
        catch(error, host) {
          seen.push(error);
          host.switchToHttp().getResponse().status(503).send("in own words");
        }
      }
      Catch()(Filter);
      const onLogin = () => {
        throw failed;
      };
      const setUp = (app) => void app.useGlobalFilters(new Filter());
      const site = await serve(t, platform, broker, { options: { onLogin }, setUp });
      const visitor = new Visitor();
      const done = await logIn(visitor, site);
      assert.deepEqual([done.status, done.text, seen], [503, "in own words", [failed]]);
      assert.equal(visitor.cookie("portier-session"), undefined);
    });

    test("a form of another shape starts a login", async (t) => {
      class Form {
        constructor(portier) {
          this.portier = portier;
        }

        async start(request, response) {
          await this.portier.startLogin(request, response, request.body.address, "/members");
        }
      }
      Controller()(Form);
      Reflect.defineMetadata("design:paramtypes", [PortierService], Form);
      decorate(Form, "start", [Post("start")], [Req(), Res()]);
      const module = (client) => ({
        imports: [PortierModule.forRoot({ client, secret: SECRET, loginPath: null })],
        controllers: [Form, pages()],
      });
      const site = await serve(t, platform, broker, { module });
      const visitor = new Visitor();
      const fields = { address: "alice@example.com" };
      const started = await visitor.post(`${site.origin}/start`, fields, { follow: false, origin: site.origin });
      assert.equal(started.status, 303, started.text);
      const query = new URLSearchParams(broker.signIn(started.headers.location));
      assert.equal((await visitor.get(`${site.client.redirectUri}?${query}`)).text, "for alice@example.com");
    });

    for (const create of [{}, { bodyParser: false }, { rawBody: true }]) {
      test(`the callback takes a form: ${JSON.stringify(create)}`, async (t) => {
        const site = await serve(t, platform, broker, { options: { flow: "implicit" }, create });
        const visitor = new Visitor();
        const fields = { email: "alice@example.com", next: "/members" };
        const { origin } = site;
        const started = await visitor.post(`${origin}/login`, fields, { follow: false, origin });
        const done = await visitor.post(site.client.redirectUri, broker.signIn(started.headers.location), { follow: false });
        assert.deepEqual([done.status, done.headers.location], [303, "/members"], done.text);
      });
    }

    test("invalid options are found when the application is created", async (t) => {
      const invalid = (options) => serve(t, platform, broker, { options });
      await assert.rejects(invalid({ loginpath: "/login" }), ConfigError);
      await assert.rejects(invalid({ loginPath: "/verify" }), /two routes have the same path/);
      await assert.rejects(invalid({ secret: undefined }), /secret is undefined/);
    });

    test("importing the module twice is an error", async (t) => {
      const login = (client) => PortierModule.forRoot({ client, secret: SECRET });
      const module = (client) => ({ imports: [login(client), login(client)] });
      await assert.rejects(serve(t, platform, broker, { module }), /imported twice/);
    });
  });
}

describe("NestJS in tests", () => {
  test("a testing module logs in, and its guard can be replaced", async (t) => {
    const client = new PortierClient({ redirectUri: "http://localhost/verify", broker: broker.origin });
    const imports = [PortierModule.forRoot({ client, secret: SECRET })];
    const module = await Test.createTestingModule({ imports, controllers: [pages()] })
      .overrideGuard(PortierGuard)
      .useValue({ canActivate: () => false })
      .compile();
    const app = module.createNestApplication({ logger: false });
    t.after(() => app.close());
    await app.listen(0, "127.0.0.1");
    const { port } = app.getHttpServer().address();
    const visitor = new Visitor();
    const origin = `http://localhost:${port}`;
    assert.equal((await visitor.get(`${origin}/members`)).status, 403);
    // A form that is larger than the flow allows, and smaller than the parsers of Nest do.
    const headers = { "Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin" };
    const large = await visitor.request("POST", `${origin}/login`, { headers, body: `email=${"a".repeat(70_000)}` });
    assert.equal(large.status, 413);
  });

  test("the service says that the site has not started", async () => {
    const client = new PortierClient({ redirectUri: "http://localhost/verify", broker: broker.origin });
    const imports = [PortierModule.forRoot({ client, secret: SECRET })];
    const module = await Test.createTestingModule({ imports }).compile();
    assert.throws(() => module.get(PortierService).session({ headers: {} }, {}), /the site has not started/);
  });
});

describe("NestJS with express-session", () => {
  test("a login begins a new session, behind helmet", async (t) => {
    const onLogin = ({ email }, request) =>
      new Promise((resolve, reject) => {
        request.session.regenerate((error) => {
          if (error) return reject(error);
          request.session.email = email;
          request.session.save((error) => (error ? reject(error) : resolve()));
        });
      });
    const setUp = (app) => {
      app.use(helmet());
      app.use(session({ secret: "a secret", resave: false, saveUninitialized: true, cookie: { sameSite: "lax" } }));
      app.getHttpAdapter().getInstance().get("/who", (request, response) => response.send(request.session.email ?? "nobody"));
    };
    const site = await serve(t, "express", broker, { options: { onLogin, secret: null }, setUp });
    const visitor = new Visitor();
    assert.equal((await visitor.get(`${site.origin}/who`)).text, "nobody");
    const before = visitor.cookie("connect.sid").value;
    assert.equal((await logIn(visitor, site, { next: "/who" })).headers.location, "/who");
    assert.notEqual(visitor.cookie("connect.sid").value, before);
    assert.equal((await visitor.get(`${site.origin}/who`)).text, "alice@example.com");
  });
});

describe("NestJS with Passport", () => {
  for (const problems of ["page", "fail"]) {
    test(`the guard of @nestjs/passport logs in: problems ${problems}`, async (t) => {
      class Login {
        login({ user }) {
          return user.email;
        }
      }
      Controller()(Login);
      decorate(Login, "login", [All(["login", "verify"]), UseGuards(AuthGuard("portier"))], [Req()]);
      const module = (client) => {
        class PortierStrategy extends PassportStrategy(Strategy) {
          constructor() {
            super({ client, problems });
          }

          async validate({ email }) {
            return { email };
          }
        }
        return { imports: [], controllers: [Login], providers: [PortierStrategy] };
      };
      const site = await serve(t, "express", broker, { module });
      const { origin } = site;
      const visitor = new Visitor();
      assert.equal((await logIn(visitor, site)).text, "alice@example.com");
      assert.notEqual(visitor.cookie("portier-signed-in"), undefined);
      const refused = await visitor.post(`${origin}/login`, { email: "nobody" }, { origin });
      assert.equal(refused.status, problems === "page" ? 400 : 401);
    });
  }
});
