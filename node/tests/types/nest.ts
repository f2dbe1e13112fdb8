// The guarantees of the types for NestJS and Passport; compiled, never run.
import "reflect-metadata";
import { Controller, Get, Injectable, Module, Post, Req, Res, UseGuards, type CanActivate, type DynamicModule } from "@nestjs/common";
import { APP_GUARD } from "@nestjs/core";
import { PassportStrategy } from "@nestjs/passport";
import express from "express";
import passport from "passport";
import { LoginFlow, PortierClient, type Login, type Problem } from "portier-client";
import { PortierGuard, PortierModule, PortierService, Public, Session, type PortierModuleOptions } from "portier-client/nest";
import Strategy, { nextPage, redirectToNext, type Done } from "portier-client/passport";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_Holds extends true>(): void {}

const client = new PortierClient({ redirectUri: "https://example.com/verify" });

@Injectable()
class Users {
  find(email: string): { email: string } {
    return { email };
  }
}

@Controller()
export class Pages {
  constructor(private readonly portier: PortierService) {
    is<Equal<typeof portier.flow, LoginFlow>>();
    is<Equal<typeof portier.client, PortierClient>>();
  }

  @Get()
  @Public()
  index(@Session() session: Session | null): string {
    return session?.email ?? "nobody";
  }

  @Get("members")
  @UseGuards(PortierGuard)
  members(@Session() { email }: Session): string {
    is<Equal<typeof email, string>>();
    return email;
  }

  @Post("start")
  async start(@Req() request: express.Request, @Res() response: express.Response): Promise<void> {
    await this.portier.startLogin(request, response, "alice@example.com", "/members");
    is<Equal<Awaited<ReturnType<typeof this.portier.session>>, Session | null>>();
  }
}

/** A guard with the request of another context. */
@Injectable()
export class OwnGuard extends PortierGuard implements CanActivate {
  override getRequest(context: Parameters<PortierGuard["getRequest"]>[0]): unknown {
    return context.switchToHttp().getRequest();
  }
}

const options: PortierModuleOptions = { client, secret: "…", loginPath: null, logoutPath: "/out", loginUrl: "/login" };
export const dynamic: DynamicModule = PortierModule.forRoot(options);

@Module({
  imports: [
    PortierModule.forRoot({ client, onLogin: ({ email }, request: express.Request) => void [email, request.path] }),
    PortierModule.forRootAsync({
      inject: [Users],
      useFactory: async (users: Users) => ({
        client,
        onLogin: (login, _request, response: express.Response) => response.cookie("user", users.find(login.email).email),
        showProblem: (problem: Problem) => problem.text,
      }),
    }),
  ],
  controllers: [Pages],
  providers: [Users, { provide: APP_GUARD, useExisting: PortierGuard }],
})
export class AppModule {}

// @ts-expect-error a site says what to do with a login
PortierModule.forRoot({ client });
// @ts-expect-error there is no such option
PortierModule.forRoot({ client, secret: "…", loginpath: "/login" });

export function withPassport(): express.Express {
  passport.use(new Strategy({ client }, (login, done) => done(null, { email: login.email })));
  passport.use(new Strategy({ client, loginUrl: "/login", problems: "fail" }, async ({ email }) => ({ email })));
  passport.use(
    "other",
    new Strategy({ client, passReqToCallback: true }, (request: express.Request, login: Login, done: Done) => {
      done(null, { email: login.email }, { path: request.path });
    }),
  );
  const app = express();
  app.post("/login", passport.authenticate("portier", { failureRedirect: "/login", failureMessage: true }));
  app.all("/verify", passport.authenticate("portier"), redirectToNext);
  app.all("/other", passport.authenticate("other", { session: false }), (request, response) => {
    response.redirect(303, nextPage(request));
  });
  // @ts-expect-error Passport keeps the sessions
  new Strategy({ client, secret: "…" }, (login, done) => done(null, login));
  // @ts-expect-error a strategy needs to know the user
  new Strategy({ client });
  return app;
}

@Injectable()
export class PortierStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly users: Users) {
    super({ client });
  }

  validate({ email }: Login): { email: string } {
    return this.users.find(email);
  }
}
