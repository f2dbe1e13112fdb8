// A site on Nest 12, which is of ES modules, with the checks and headers that Nest brings. PLATFORM is express or fastify.
import { Controller, Get, Module, Query, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { PortierClient } from "portier-client";
import { loginPolicy, PortierGuard, PortierModule, Session } from "portier-client/nest";

const { BROKER, ORIGIN, PLATFORM, PORT, SESSION_SECRET } = process.env;
const client = new PortierClient({ redirectUri: `${ORIGIN}/verify`, broker: BROKER });

@Controller()
class Pages {
  @Get()
  index(@Session() session: Session | null, @Query("next") next = ""): string {
    if (session) return `<p>You are ${session.email}.</p><form method="post" action="/logout"><button>Sign out</button></form>`;
    return `<form method="post" action="/login"><input type="hidden" name="next" value="${next.replaceAll(/[&<>"]/g, "")}">
      Your address: <input type="email" name="email" required><button>Sign in</button></form>`;
  }

  @Get("members")
  @UseGuards(PortierGuard)
  members(@Session() { email }: Session): string {
    return `For ${email}.`;
  }
}

@Module({
  imports: [PortierModule.forRoot({ client, secret: SESSION_SECRET! })],
  controllers: [Pages],
})
class AppModule {}

const adapter = PLATFORM === "fastify" ? new FastifyAdapter() : new ExpressAdapter();
const app = await NestFactory.create(AppModule, adapter);
app.enableCsrfProtection();
app.useSecurityHeaders({ contentSecurityPolicy: false });
console.log(loginPolicy(client));
await app.listen(Number(PORT), "127.0.0.1");
