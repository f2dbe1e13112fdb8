// Login forms as sites write them.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import PortierClient, { LoginFlow } from "portier-client";
import { DevBroker, login, LoginFailed, TestSession } from "portier-client/testing";

import { formsOf } from "../../dist/testing/forms.js";

const broker = new DevBroker();
after(() => broker.stop());

/** A site whose pages are given by path; its login form may be at another path, and have other fields. */
function siteWith(pages, { path = "/login", read = (form) => form.get("email"), check = () => true } = {}) {
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
  const flow = new LoginFlow(client, { defaultNext: "/members" });
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === flow.callbackPath) return (await flow.callback(request)).toResponse();
    if (request.method === "POST" && pathname === path) {
      const form = await request.formData();
      if (!check(form, request)) return new Response("<h1>Forged</h1>", { status: 403 });
      return (await flow.start(request, read(form), form.get("next") ?? "")).toResponse();
    }
    const page = pages[pathname];
    return new Response(page ?? "nowhere", { status: page === undefined ? 404 : 200, headers: { "content-type": "text/html" } });
  };
}

const signsIn = async (app, options) => {
  const { response } = await login(app, "alice@example.com", options);
  assert.equal(response.url, `https://example.com${options?.next ?? "/members"}`);
};

test("a form with a token against forgery is sent with it", async () => {
  const page = `<form action=/login method=POST><input type=hidden name=_csrf value="a&amp;&#34;b"><input name=email></form>`;
  await signsIn(siteWith({ "/login": page }, { check: (form) => form.get("_csrf") === 'a&"b' }));
});

test("a token against forgery in the headers is sent with the option headers", async () => {
  const check = (form, request) => request.headers.get("x-csrf-token") === "token";
  await signsIn(siteWith({}, { check }), { headers: { "X-CSRF-Token": "token" } });
});

test("the field of the address may have another name", async () => {
  const page = `<form method="post" action="/login"><input type="email" name="address"></form>`;
  await signsIn(siteWith({ "/login": page }, { read: (form) => form.get("address") }));
});

test("the form may be on the front page, or on any page", async () => {
  const form = `<form method="post" action="/enter/sign-in"><input type="email" name="email"></form>`;
  await signsIn(siteWith({ "/": form }, { path: "/enter/sign-in" }));
  await signsIn(siteWith({ "/enter": `<form method="post" action="enter/sign-in"><input name="email"></form>` }, { path: "/enter/sign-in" }), {
    page: "/enter",
  });
});

test("among several forms, it is the one to sign in, or that of the action", async () => {
  const page = `<form method="post" action="/newsletter"><input type="email" name="email"></form>
    <form method="post" action="/auth/start"><input type="email" name="email"></form>`;
  await signsIn(siteWith({ "/": page }, { path: "/auth/start" }));
  await signsIn(siteWith({ "/": page }, { path: "/newsletter" }), { action: "/newsletter" });
});

test("a site without pages gets the form all the same", async () => {
  await signsIn(siteWith({}), { next: "/shelf" });
  await signsIn(siteWith({}, { path: "/start" }), { action: "/start" });
});

test("further fields are sent", async () => {
  await signsIn(siteWith({}, { check: (form) => form.get("terms") === "accepted" }), { fields: { terms: "accepted" } });
});

test("a site that answers with JSON, as to a script", async () => {
  const flow = new LoginFlow(new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin }));
  const app = async (request) => {
    if (new URL(request.url).pathname === "/verify") return (await flow.callback(request)).toResponse();
    if (request.method === "GET") return new Response("nowhere", { status: 404 });
    const step = await flow.login(request);
    return Response.json({ url: step.toResponse().headers.get("location") }, { headers: { "set-cookie": step.reply.cookies[0] } });
  };
  const { response } = await login(app, "alice@example.com");
  assert.equal(response.url, "https://example.com/");
});

test("an unknown option is refused", async () => {
  await assert.rejects(login(siteWith({}), "alice@example.com", { nxt: "/" }), /unknown option name=nxt/);
  assert.throws(() => new TestSession(siteWith({}), { orgin: "https://example.com" }), /unknown option name=orgin/);
  const session = new TestSession(siteWith({}), { headers: { "accept-language": "de" } });
  await assert.rejects(login(session, "alice@example.com", { headers: {} }), /a session has its own headers: give it to the session/);
  await login(session, "alice@example.com");
});

test("a form is read as browsers read it", () => {
  const [form, other] = formsOf(`<!-- <form action="/no"></form> --><script>"<form>"</script>
    <form METHOD='post' action='/a?b=1&amp;c=2'>
      <input name=one value=1><input name="two" value='2' disabled><input type="checkbox" name="three" value="3">
      <input type=checkbox name=four checked><textarea name="five">&lt;5&gt;</textarea><input value="nameless">
      <button type="button" name="six" value="6">No</button><button name="seven" value="7">Yes</button><button name="eight">No</button>
    </form>
    <form><input type="email" name="mail" value="a > b"></form>`);
  assert.equal(form.action, "/a?b=1&c=2");
  assert.equal(form.method, "post");
  assert.deepEqual(form.fields, { one: "1", four: "on", five: "<5>", seven: "7" });
  assert.deepEqual(other, { action: "", method: "get", fields: { mail: "a > b" }, emailField: "mail" });
});

test("a checkbox without a value sends on", () => {
  const [{ fields }] = formsOf(`<form><input type="checkbox" name="terms" checked></form>`);
  assert.deepEqual(fields, { terms: "on" });
});

test("a login that fails has the answer of the site", async () => {
  const error = await login(siteWith({}, { check: () => false }), "alice@example.com").catch((error) => error);
  assert.ok(error instanceof LoginFailed && error instanceof Error);
  assert.equal(error.response.status, 403);
  assert.equal(error.session.response, error.response);
  assert.match(error.message, /^the login did not start: the login form \/login answered 403: Forged; /);
});
