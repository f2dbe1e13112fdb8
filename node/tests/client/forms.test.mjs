// Forms that `complete` accepts, from any realm or library.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import vm from "node:vm";

import { PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

const broker = new DevBroker();
broker.keyId();
after(() => broker.stop());
const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });

const elsewhere = vm.createContext({});
const there = (code) => vm.runInContext(code, elsewhere);

/** A form of a library that keeps its values in private fields. */
class LibraryForm {
  #pairs;
  constructor(pairs) {
    this.#pairs = pairs;
  }
  getAll(name) {
    return this.#pairs.filter(([known]) => known === name).map(([, value]) => value);
  }
}
/** The same, but a missing name has no list, as in some libraries. */
class SparseForm extends LibraryForm {
  getAll(name) {
    const values = super.getAll(name);
    return values.length === 0 ? null : values;
  }
}
/** The same, but a single value is not in a list. */
class FlatForm extends LibraryForm {
  getAll(name) {
    const [first, ...others] = super.getAll(name);
    return others.length === 0 ? first : [first, ...others];
  }
}
class Dto {
  constructor(pairs) {
    Object.assign(this, listed(pairs));
  }
}

const listed = (pairs) => {
  const form = {};
  for (const [name, value] of pairs) form[name] = [...(form[name] ?? []), value];
  return form;
};
const FORMS = {
  URLSearchParams: (pairs) => new URLSearchParams(pairs),
  FormData: (pairs) => {
    const form = new FormData();
    for (const [name, value] of pairs) form.append(name, value);
    return form;
  },
  "a library's form": (pairs) => new LibraryForm(pairs),
  "a form without lists for missing names": (pairs) => new SparseForm(pairs),
  "a form without lists for single values": (pairs) => new FlatForm(pairs),
  "a Map of lists": (pairs) => new Map(Object.entries(listed(pairs))),
  "a Map of another realm": (pairs) => there("(entries) => new Map(entries)")(Object.entries(listed(pairs))),
  "an object of another realm": (pairs) => there("JSON.parse")(JSON.stringify(listed(pairs))),
  pairs: (pairs) => pairs,
  "an iterator of pairs": (pairs) => pairs.values(),
  "an object without a prototype": (pairs) => Object.assign(Object.create(null), listed(pairs)),
  "an object of a class": (pairs) => new Dto(pairs),
  "the fields of a multipart parser": (pairs) =>
    listed(pairs.map(([name, value]) => [name, { type: "field", fieldname: name, value }])),
};

for (const [what, make] of Object.entries(FORMS)) {
  test(`a form is accepted, and a repeated field refused: ${what}`, async () => {
    const url = await client.authenticate("alice@example.com");
    const token = ["id_token", broker.mint({ url })];
    const junk = ["id_token", "junk"];
    for (const twice of [[junk, token], [token, junk], [token, token]]) {
      await assert.rejects(client.complete(make(twice)), { code: "token_malformed" });
    }
    await assert.rejects(client.complete(make([["state", "x"], ["other", "y"]])), { code: "missing_token" });
    const { email, state } = await client.complete(make([["state", "x"], token]));
    assert.deepEqual([email, state], ["alice@example.com", "x"]);
  });
}

test("a field that is no text is malformed", async () => {
  const file = new File(["a.b.c"], "id_token");
  const withFile = new FormData();
  withFile.append("id_token", file);
  const part = { type: "file", fieldname: "id_token", toBuffer: async () => Buffer.from("a.b.c") };
  const forms = [withFile, { id_token: file }, { id_token: part }, { id_token: [part] }, new Map([["id_token", 1]])];
  forms.push({ getAll: async () => ["a.b.c"] });
  for (const value of [Buffer.from("a.b.c"), { value: "a.b.c" }, [["a.b.c"]], true]) forms.push({ id_token: value });
  for (const form of forms) await assert.rejects(client.complete(form), { name: "InvalidToken", code: "token_malformed" });
});

test("a value that is no form is refused by name", async () => {
  const others = {
    Promise: Promise.resolve(new FormData()),
    Request: new Request("https://example.com/verify"),
    Buffer: Buffer.from("id_token=a.b.c"),
    Blob: new Blob(["id_token=a.b.c"]),
    Set: new Set(["id_token"]),
    string: "id_token=a.b.c",
    undefined: undefined,
    null: null,
  };
  for (const [type, form] of Object.entries(others)) {
    const message = `the callback is not a form type=${type}`;
    await assert.rejects(client.complete(form), { name: "InvalidToken", code: "token_malformed", message });
  }
});
