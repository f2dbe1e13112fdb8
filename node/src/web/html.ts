import { createHash } from "node:crypto";

/** A page that loads nothing, and the policy that goes with it. */
export interface Page {
  readonly html: string;
  /** Its `Content-Security-Policy`. */
  readonly policy: string;
}

/** Text as it stands in HTML, between tags and in quoted attributes. */
export function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Makes a page. `body` is HTML; `formAction` is where its forms may go. */
export function makePage(parts: {
  title: string;
  body: string;
  style?: string;
  script?: string;
  formAction?: string;
}): Page {
  const { title, body, style, script, formAction = "'none'" } = parts;
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>${style === undefined ? "" : `\n<style>${style}</style>`}
</head>
<body>
${body}${script === undefined ? "" : `\n<script>${script}</script>`}
</body>
</html>
`;
  const directives = [
    "default-src 'none'",
    ...(style === undefined ? [] : [`style-src '${hashOf(style)}'`]),
    ...(script === undefined ? [] : [`script-src '${hashOf(script)}'`]),
    "base-uri 'none'",
    `form-action ${formAction}`,
    "frame-ancestors 'none'",
  ];
  return { html, policy: directives.join("; ") };
}

/**
 * Where the forms of a page may go from which a login leads on. Chromium holds a form to this through
 * all redirects that follow it, and where those of the site lead is the site's affair: to another host
 * of it, or to the client of a single sign-on.
 */
export const FORM_TARGETS = "'self' https:";

/** The looks of a page with one message, or one question. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5b6875; --ground: #f4f6f8;
  --card: #fff; --edge: #dde3e9; --accent: #1f6f5c; --on-accent: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ecf1; --soft: #9aa7b4;
  --ground: #12171c; --card: #1b2229; --edge: #2c3640; --accent: #5cc3a8; --on-accent: #0c1a16 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif }
main { width: 100%; max-width: 27rem; padding: 2.25rem; background: var(--card);
  border: 1px solid var(--edge); border-radius: 14px }
main:has(.later) { animation: later 0s 2s backwards }
@keyframes later { from { visibility: hidden } }
@media (scripting: none) { main:has(.later) { animation: none } }
h1 { margin: 0 0 .5rem; font-size: 1.4rem; line-height: 1.25; overflow-wrap: anywhere }
p { margin: 0 0 1.5rem; color: var(--soft) }
a, button { display: inline-block; padding: .6rem 1.1rem; border: 0; border-radius: 9px;
  background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600;
  text-decoration: none; cursor: pointer }
button:disabled { opacity: .6; cursor: default }
.quiet { background: none; color: var(--soft); font-weight: 400 }
a:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
`;

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
