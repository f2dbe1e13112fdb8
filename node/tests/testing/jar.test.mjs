// Cookies as browsers keep and send them.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Jar } from "../../dist/testing/jar.js";

const HOME = new URL("https://example.com/shop/cart");
const HERE = { method: "GET", crossSite: false };

function jarWith(lines, url = HOME) {
  const jar = new Jar();
  jar.keep(url, lines);
  return jar;
}

test("a cookie is replaced, and removed when it has expired", () => {
  const jar = jarWith(["a=1; Path=/", "b=2; Path=/", "a=3; Path=/"]);
  assert.equal(jar.header(HOME, HERE), "b=2; a=3");
  jar.keep(HOME, ["b=; Path=/; Max-Age=0"]);
  jar.keep(HOME, ["a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
  assert.equal(jar.header(HOME, HERE), "");
  assert.deepEqual(jar.all(), []);
});

test("the age of cookies follows fake timers", () => {
  mock.timers.enable({ apis: ["Date"], now: 1_000 });
  const jar = jarWith(["a=1; Max-Age=60"]);
  mock.timers.tick(59_000);
  assert.equal(jar.header(HOME, HERE), "a=1");
  mock.timers.tick(1_000);
  assert.equal(jar.header(HOME, HERE), "");
  mock.timers.reset();
});

test("a value may contain an equals sign, and a name is needed", () => {
  const jar = jarWith(["a=b=c==", "nameless", "=value", " d = e "]);
  assert.equal(jar.header(HOME, HERE), "a=b=c==; d=e");
});

test("paths and domains are those of the cookie", () => {
  const jar = jarWith(["a=1", "b=2; Path=/", "c=3; Path=/shop/cart/deep", "d=4; Domain=example.com", "e=5; Domain=other.example"]);
  assert.equal(jar.header(HOME, HERE), "a=1; d=4; b=2");
  assert.equal(jar.header(new URL("https://example.com/"), HERE), "b=2");
  assert.equal(jar.header(new URL("https://example.com/shopping"), HERE), "b=2");
  assert.equal(jar.header(new URL("https://www.example.com/shop/"), HERE), "d=4");
  assert.equal(jar.header(new URL("https://badexample.com/shop/"), HERE), "");
});

test("cookies that browsers refuse are not kept", () => {
  const refused = [
    "__Host-a=1; Path=/",
    "__Host-a=1; Secure",
    "__Host-a=1; Secure; Path=/; Domain=example.com",
    "__Secure-a=1",
    "a=1; SameSite=None",
  ];
  assert.deepEqual(jarWith(refused).all(), []);
  assert.equal(jarWith(["__Host-a=1; Secure; Path=/"]).all().length, 1);
  assert.deepEqual(jarWith(["a=1; Secure"], new URL("http://example.com/")).all(), []);
  for (const host of ["localhost:8888", "127.0.0.1", "[::1]:1", "site.localhost"]) {
    assert.equal(jarWith(["a=1; Secure"], new URL(`http://${host}/`)).all().length, 1, host);
  }
});

test("what comes from another site has no strict cookies, and a form from there has no lax ones", () => {
  const jar = jarWith(["a=1; SameSite=Strict", "b=2; SameSite=Lax", "c=3", "d=4; SameSite=None; Secure"]);
  assert.equal(jar.header(HOME, HERE), "a=1; b=2; c=3; d=4");
  assert.equal(jar.header(HOME, { method: "POST", crossSite: false }), "a=1; b=2; c=3; d=4");
  assert.equal(jar.header(HOME, { method: "GET", crossSite: true }), "b=2; c=3; d=4");
  assert.equal(jar.header(HOME, { method: "POST", crossSite: true }), "d=4");
});
