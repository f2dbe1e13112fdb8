/** Markup. What is put into it is escaped, unless it is markup itself. */
export class Html {
  #text;

  constructor(text) {
    this.#text = text;
  }

  toString() {
    return this.#text;
  }
}

/** Tags a template: html`<p>${anything}</p>`. */
export function html(parts, ...values) {
  return new Html(parts.reduce((text, part, number) => text + show(values[number - 1]) + part));
}

function show(value) {
  if (value === undefined || value === null || value === false) return "";
  if (value instanceof Html) return value.toString();
  return String(value).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
