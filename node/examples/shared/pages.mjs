// The pages of the example sites. Every inserted value is escaped.

/** @typedef {{ framework: string, email?: string, token?: string }} View who looks, and where */

/** The front page. */
export function indexPage(view) {
  const main = view.email
    ? html`
<p class="over">Signed in</p>
<h1>Good to see you, <span class="address">${view.email}</span></h1>
<p>The shelf is open to you now.</p>
<p><a class="button" href="/members">To the members’ shelf</a></p>`
    : html`
<p class="over">Welcome</p>
<h1>Come in with your <span class="word">e-mail</span> address</h1>
<p>The <a href="/members">members’ shelf</a> is open to anyone with an address.</p>
${form(view, {})}`;
  return page(view, "The Reading Room", main);
}

/** The login form, as it was sent if it has to be sent again. */
export function loginPage(view, sent) {
  return page(view, "Sign in – The Reading Room", html`
<p class="over">${sent.next ? "For members" : "Welcome"}</p>
<h1>Sign in to go on</h1>
${form(view, sent)}`);
}

/** The page that needs a login. */
export function membersPage(view) {
  return page(view, "The members’ shelf – The Reading Room", html`
<p class="over">For members</p>
<h1>The shelf</h1>
<ul class="shelf">
<li><b>Middlemarch</b><span>George Eliot, 1871</span></li>
<li><b>Three Men in a Boat</b><span>Jerome K. Jerome, 1889</span></li>
<li><b>The Time Machine</b><span>H. G. Wells, 1895</span></li>
</ul>
<p>This page opens only to those who are signed in.</p>`);
}

/** Asks whether to continue a login in a browser that did not start it. */
export function confirmationPage(view, { email, fields }) {
  return page(view, "Sign in on this device? – The Reading Room", html`
<p class="over">Another browser</p>
<h1>Sign in as <span class="address">${email}</span> on this device?</h1>
<p>This sign-in was started in another browser. Go on only if it was you who started it.</p>
<form class="confirm" method="post">
${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`)}
<button>Sign in</button>
<a class="button quiet" href="/login">No, cancel</a>
<script src="/static/once.js"></script>
</form>`);
}

/** The page for an error. */
export function problemPage(view, { title, text }) {
  return page(view, `${title} – The Reading Room`, html`
<p class="over">Not this time</p>
<h1>${title}</h1>
<p>${text}</p>
<p><a class="button" href="/login">Start again</a></p>`);
}

function page(view, title, main) {
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/site.css">
</head>
<body>
<header>
<a class="name" href="/"><img src="/static/icon.svg" width="28" height="28" alt="">The Reading Room</a>
${view.email ? signOut(view) : ""}
</header>
<main>${main}
</main>
<footer>An example of portier-client with ${view.framework}</footer>
</body>
</html>
`);
}

function signOut(view) {
  return html`<form method="post" action="/logout">
${tokenField(view)}
<span class="who">${view.email}</span>
<button class="quiet">Sign out</button>
</form>`;
}

function form(view, { email = "", next = "", complaint = "" }) {
  const wrong = complaint ? html` aria-invalid="true" aria-describedby="complaint"` : "";
  return html`<form class="sign-in" method="post" action="/login">
${tokenField(view)}
${next ? html`<input type="hidden" name="next" value="${next}">` : ""}
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" value="${email}" placeholder="you@example.com"
 autocomplete="email" autofocus required${wrong}>
${complaint ? html`<p class="complaint" id="complaint">${complaint}</p>` : ""}
<button>Continue</button>
<p class="hint">No password: you show that the address is yours, and are in.</p>
</form>`;
}

function tokenField({ token }) {
  // Sites whose sessions are those of the login need none: their forms are checked by where they come from.
  return token === undefined ? "" : html`<input type="hidden" name="token" value="${token}">`;
}

/** Text that is HTML already. */
class Html {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

function html(literals, ...values) {
  return new Html(String.raw({ raw: literals }, ...values.map(escape)));
}

function escape(value) {
  if (Array.isArray(value)) return value.map(escape).join("");
  return value instanceof Html ? value.text : String(value).replaceAll(/[&<>"']/g, entity);
}

function entity(character) {
  return `&#${character.charCodeAt(0)};`;
}
