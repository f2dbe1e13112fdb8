// The guarantees of the types of the test kit; compiled, never run.
import { createServer, type RequestListener } from "node:http";
import { mock } from "node:test";

import { NestFactory } from "@nestjs/core";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";

import { PortierClient } from "portier-client";
import * as kit from "portier-client/testing";
import { portier } from "portier-client/web";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_Holds extends true>(): void {}

/** All kinds of sites that `login` accepts. */
export async function sites(): Promise<void> {
  const client = new PortierClient({ redirectUri: "https://example.com/verify" });
  const { handle } = portier({ client, secret: "…" });
  const nest = await NestFactory.create(class {});
  const apps: kit.App[] = [
    "http://localhost:8888",
    new URL("http://localhost:8888"),
    express(),
    Fastify(),
    new Hono(),
    { fetch: handle },
    handle,
    (request: Request) => new Response(request.url),
    async (request: Request) => new Response(request.url),
    ((_request, response) => response.end()) satisfies RequestListener,
    createServer(),
    nest,
    nest.getHttpServer(),
  ];
  for (const app of apps) await kit.login(app, "alice@example.com");
  // @ts-expect-error nothing can be asked
  await kit.login({}, "alice@example.com");
}

export async function sessions(broker: kit.DevBroker): Promise<void> {
  const options: kit.LoginOptions = { page: "/login", action: "/login", next: "/", fields: { terms: "yes" }, headers: { accept: "*/*" } };
  const session = await kit.login(express(), "alice@example.com", { ...options, broker, origin: "https://example.com", timeoutMs: 1000 });
  is<Equal<typeof session, kit.TestSession>>();
  is<Equal<kit.TestResponse["problem"], string | null>>();
  is<Equal<kit.Cookie["sameSite"], "Strict" | "Lax" | "None">>();
  const { status, text }: kit.TestResponse = await session.get("/members", { accept: "application/json" });
  const { id } = (await session.post("/notes", { text }, { "x-token": String(status) })).json<{ id: number }>();
  is<Equal<typeof id, number>>();
  await session.request("PUT", `/notes/${id}`, { body: "{}", headers: { "content-type": "application/json" } });
  await session.visit(session.response.location ?? "/");
  await session.submit("/logout");
  const cookies: kit.Cookie[] = session.cookies;
  await kit.login(session, cookies[0]?.name ?? "");
  await kit.wrongAddress(session, "alice@example.com", { proves: "bob@example.com" });
  for (const scenario of [kit.refused, kit.expired, kit.cancelled, kit.replayed, kit.otherBrowser, kit.brokerDown, kit.rotatedKeys]) {
    await (await scenario("http://localhost:8888", "alice@example.com", { broker: "http://127.0.0.1:3333" })).confirm();
  }
  // @ts-expect-error there is no such option
  await kit.login(session, "alice@example.com", { proves: "bob@example.com" });
}

export function time(vi: { advanceTimersByTime(milliseconds: number): typeof vi }): void {
  kit.freezeTime();
  kit.freezeTime(new Date(), { timers: mock.timers }).tick(1);
  const clock: kit.FrozenClock = kit.freezeTime(0, { timers: vi });
  is<Equal<typeof clock.now, number>>();
  clock.resume();
}

export function failed(error: unknown): string {
  if (!(error instanceof kit.LoginFailed)) return "";
  is<Equal<typeof error.response, kit.TestResponse | undefined>>();
  return error.session?.response.text ?? error.message;
}
