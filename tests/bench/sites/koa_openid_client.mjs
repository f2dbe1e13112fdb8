// The login of the Koa example, written with openid-client and koa-session.
import { form, openidClient, port, ready, require, secret } from "./shared.mjs";

const Koa = require("koa");
const bodyParser = require("koa-bodyparser");
const { createSession } = require("koa-session");

const client = await openidClient();
const app = new Koa();
app.keys = [secret];
app.use(createSession({ sameSite: "lax" }, app));
app.use(bodyParser({ enableTypes: ["form"] }));

const pages = {
  "GET /"(ctx) {
    ctx.body = ctx.session.email ?? "";
  },
  "GET /login"(ctx) {
    ctx.type = "html";
    ctx.body = form;
  },
  async "POST /login"(ctx) {
    const { url, kept } = await client.start(ctx.request.body.email);
    ctx.session.login = kept;
    seeOther(ctx, url);
  },
  async "GET /verify"(ctx) {
    const email = await client.email(ctx.url, ctx.session.login);
    ctx.session = { email };
    seeOther(ctx, "/");
  },
};
app.use((ctx) => pages[`${ctx.method} ${ctx.path}`]?.(ctx));

/** Redirects with 303, so that the browser does not post the form again. */
function seeOther(ctx, url) {
  ctx.status = 303;
  ctx.redirect(url);
}

app.listen(port, "localhost", ready);
