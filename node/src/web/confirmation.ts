import { inspect } from "node:util";

import { page, PAGE_HEADERS, type Answer } from "./answer.js";
import type { Fields } from "./binding.js";
import { escape, FORM_TARGETS, makePage, STYLE } from "./html.js";

/**
 * The question whether a login goes on in a browser that did not start it.
 *
 * Printing one shows no address.
 */
export class Confirmation {
  /** Whose login it is. The person may not be that one: an attacker can send any browser here. */
  readonly email: string;
  /**
   * Names and values of the hidden fields of the form that says yes, to be posted to the address of
   * the page.
   */
  readonly fields: Fields;

  /** @internal */
  constructor(email: string, fields: Fields) {
    this.email = email;
    this.fields = fields;
    Object.freeze(this);
  }

  [inspect.custom](): string {
    return "Confirmation {}";
  }
}

/** A page of its own that asks whether to go on in this browser. */
export function confirmationPage({ email, fields }: Confirmation, cancel: string): Answer {
  return ownPage("Sign in on this device?", {
    script: ONCE,
    main: `<h1>Sign in as ${escape(email)} on this device?</h1>
<p>This sign-in was started in another browser. Go on only if it was you who started it.</p>
<form method="post">
${hidden(fields)}<button>Sign in</button>
<a class="quiet" href="${escape(cancel)}">No, cancel</a>
</form>`,
  });
}

/** A page that posts a form to its own address. */
export function pageThatPosts(fields: Fields): Answer {
  return ownPage("Signing in", {
    script: POST,
    main: `<form class="later" method="post">
${hidden(fields)}<h1>One more step</h1>
<p>Press the button to go on.</p>
<button>Continue</button>
</form>`,
  });
}

// A moment passes before it can be pressed: or the second press of a double click that somebody asked
// for on another page would do it, when that page gives way to this one. And it can be pressed once: a
// second time would give up the answer to the first one, and the cookie in it.
const ONCE = `
const form = document.forms[0];
const button = form.querySelector("button");
let timer;
const wait = () => {
  button.disabled = true;
  clearTimeout(timer);
  timer = setTimeout(() => { button.disabled = false; }, 700);
};
let sent = false;
form.addEventListener("submit", () => { wait(); clearTimeout(timer); sent = true; });
addEventListener("pageshow", () => { wait(); sent = false; });
addEventListener("focus", () => { if (!sent) wait(); });
wait();
`;

// Where it does not run, as under a policy that something in front of the site has added, the button
// is there after a moment.
const POST = `
const form = document.forms[0];
form.parentNode.hidden = true;
form.submit();
`;

function ownPage(title: string, { main, script }: { main: string; script: string }): Answer {
  const { html, policy } = makePage({
    title,
    body: `<main>\n${main}\n</main>`,
    style: STYLE,
    script,
    formAction: FORM_TARGETS,
  });
  return page(200, html, { ...PAGE_HEADERS, "Content-Security-Policy": policy });
}

function hidden(fields: Fields): string {
  return fields
    .map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">\n`)
    .join("");
}
