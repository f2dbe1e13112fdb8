// A small NestJS site with a page for members, who log in with their e-mail address.
import {
  Catch,
  Controller,
  Get,
  Header,
  HttpException,
  Module,
  NotFoundException,
  Param,
  Query,
  Res,
  StreamableFile,
  UseGuards,
  type ArgumentsHost,
  type DynamicModule,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter, type NestExpressApplication } from "@nestjs/platform-express";
import express, { type NextFunction, type Request, type Response } from "express";
import type { PortierClient } from "portier-client";
import { PortierGuard, PortierModule, PortierService, Session, type PortierModuleOptions } from "portier-client/nest";

import { commonHeaders, FILES } from "../shared/http.mjs";
import { indexPage, loginPage, membersPage, problemPage } from "../shared/pages.mjs";
import { blame, NOT_FOUND } from "../shared/problems.mjs";
import { hooksOf } from "../shared/sealed.mjs";

const framework = "NestJS";

@Controller()
class Pages {
  constructor(private readonly portier: PortierService) {}

  @Get()
  index(@Session() session: Session | null): string {
    return indexPage({ framework, email: session?.email });
  }

  @Get("login")
  login(@Session() session: Session | null, @Query("next") next: unknown, @Res() response: Response): void {
    const page = this.portier.flow.safeNext(next);
    if (session) response.status(303).set("Location", page ?? "/").end();
    else response.send(loginPage({ framework }, { next: page ?? "" }));
  }

  @Get("members")
  @UseGuards(PortierGuard)
  members(@Session() { email }: Session): string {
    return membersPage({ framework, email });
  }

  @Get("static/:name")
  @Header("Cache-Control", "no-store")
  file(@Param("name") name: string): StreamableFile {
    const file = FILES.find(({ path }) => path === `/static/${name}`);
    if (file === undefined) throw new NotFoundException();
    return new StreamableFile(Buffer.from(file.body), { type: file.type });
  }
}

/** Makes pages of errors. A guard's redirect is an exception as well; its headers are set already. */
@Catch()
class ErrorPages {
  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const status = error instanceof HttpException ? error.getStatus() : 500;
    if (status < 400) return void response.status(status).end();
    const problem = status === 404 ? NOT_FOUND : blame({ statusCode: status });
    if (status >= 500) console.error(error);
    response.status(problem.status).send(problemPage({ framework }, problem));
  }
}

@Module({ controllers: [Pages] })
class Site {
  static with(options: PortierModuleOptions<Request, Response>): DynamicModule {
    return { module: Site, imports: [PortierModule.forRoot(options)] };
  }
}

/** Makes the application; `client` knows the broker, `secret` seals the sessions. */
export async function makeSite(client: PortierClient, secret: string, login = {}): Promise<NestExpressApplication> {
  const view = async (request: Request, response: Response) => {
    const session = await app.get(PortierService).session(request, response);
    return { framework, email: session?.email };
  };
  const options = { client, secret, ...login, loginUrl: "/login", ...hooksOf(view) };
  const server = express().enable("case sensitive routing").enable("strict routing");
  const adapter = new ExpressAdapter(server);
  const app = await NestFactory.create<NestExpressApplication>(Site.with(options), adapter, { logger: ["error", "warn"] });
  app.use((_request: Request, response: Response, next: NextFunction) => {
    response.set(commonHeaders(client));
    next();
  });
  app.useGlobalFilters(new ErrorPages());
  await app.init();
  return app;
}
