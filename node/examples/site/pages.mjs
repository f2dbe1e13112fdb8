// The pages of the example site. `visit` says who is signed in, if anyone, and has the token that
// the site's own forms carry.
import { html } from "./html.mjs";

export function index(visit) {
  if (visit.email === null) {
    return page(visit, {
      main: html`<p class="over">Welcome</p>
<h1>Come in with your e-mail address</h1>
<p>The <a href="/members">members’ shelf</a> is open to anyone with an address.</p>
${signInForm(visit, {})}`,
    });
  }
  return page(visit, {
    main: html`<p class="over">Signed in</p>
<h1>Good to see you, <span class="address">${visit.email}</span></h1>
<p>The shelf is open to you now.</p>
<p><a class="button" href="/members">To the members’ shelf</a></p>`,
  });
}

export function signIn(visit, { email = "", next = "", complaint = "" }) {
  return page(visit, {
    title: "Sign in",
    main: html`<p class="over">${next === "" ? "Welcome" : "For members"}</p>
<h1>Sign in to go on</h1>
${signInForm(visit, { email, next, complaint })}`,
  });
}

export function members(visit) {
  return page(visit, {
    title: "The members’ shelf",
    main: html`<p class="over">For members</p>
<h1>The shelf</h1>
<ul class="shelf">
<li><b>Middlemarch</b><span>George Eliot, 1871</span></li>
<li><b>Three Men in a Boat</b><span>Jerome K. Jerome, 1889</span></li>
<li><b>The Time Machine</b><span>H. G. Wells, 1895</span></li>
</ul>
<p>This page opens only to those who are signed in.</p>`,
  });
}

export function problem(visit, { title, text }) {
  return page(visit, {
    title,
    main: html`<p class="over">Not this time</p>
<h1>${title}</h1>
<p>${text}</p>
<p><a class="button" href="/login">Start again</a></p>`,
  });
}

function page(visit, { title, main }) {
  const name = "The Reading Room";
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title === undefined ? name : `${title} – ${name}`}</title>
<link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/site.css">
</head>
<body>
<header>
<a class="name" href="/"><img src="/static/icon.svg" width="28" height="28" alt="">${name}</a>
${visit.email !== null && signOutForm(visit)}
</header>
<main>
${main}
</main>
<footer>An example of portier-client with ${visit.framework}</footer>
</body>
</html>
`.toString();
}

function signInForm(visit, { email = "", next = "", complaint = "" }) {
  return html`<form class="sign-in" method="post" action="/login">
${tokenField(visit)}
${next !== "" && html`<input type="hidden" name="next" value="${next}">`}
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" value="${email}" placeholder="you@example.com"
 autocomplete="email" autofocus required${
   complaint !== "" && html` aria-invalid="true" aria-describedby="complaint"`
 }>
${complaint !== "" && html`<p class="complaint" id="complaint">${complaint}</p>`}
<button>Continue</button>
<p class="hint">No password: you show that the address is yours, and are in.</p>
</form>`;
}

function signOutForm(visit) {
  return html`<form method="post" action="/logout">
${tokenField(visit)}
<span class="who">${visit.email}</span>
<button class="quiet">Sign out</button>
</form>`;
}

function tokenField(visit) {
  return html`<input type="hidden" name="_token" value="${visit.token}">`;
}
