/** A form of a page. */
export interface Form {
  /** The attribute `action`; empty for the address of the page. */
  action: string;
  method: string;
  /** What a browser sends if nothing is changed, with the first button. */
  fields: Record<string, string>;
  /** The name of the field for an e-mail address. */
  emailField: string | undefined;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };

/** The forms of a page of HTML. */
export function formsOf(html: string): Form[] {
  const visible = html.replaceAll(/<!--.*?-->|<(script|style|template)\b.*?<\/\1\s*>/gis, "");
  return [...visible.matchAll(/<form\b((?:"[^"]*"|'[^']*'|[^'">])*)>(.*?)<\/form\s*>/gis)].map(
    ([, tag = "", content = ""]) => readForm(attributesOf(tag), content),
  );
}

/** The text of a page: of its `<main>` if it has one, without tags. */
export function textOf(html: string): string {
  const [, main] = /<main\b[^>]*>(.*?)<\/main\s*>/is.exec(html) ?? [];
  const [, body] = /<body\b[^>]*>(.*?)<\/body\s*>/is.exec(html) ?? [];
  const text = (main ?? body ?? html).replaceAll(/<(script|style)\b.*?<\/\1\s*>|<[^>]*>/gis, " ");
  return decode(text).replaceAll(/\s+/g, " ").trim();
}

function readForm(form: Map<string, string>, content: string): Form {
  const fields: Record<string, string> = {};
  let emailField: string | undefined;
  let hasButton = false;
  const controls = /<(input|button|textarea)\b((?:"[^"]*"|'[^']*'|[^'">])*)>(?:(?<=<textarea\b[^<]*>)(.*?)<\/textarea\s*>)?/gis;
  for (const [, element = "", tag = "", text] of content.matchAll(controls)) {
    const attributes = attributesOf(tag);
    const isButton = element.toLowerCase() === "button";
    const type = (attributes.get("type") ?? (isButton ? "submit" : "text")).toLowerCase();
    const name = attributes.get("name");
    if (name === undefined || name === "" || attributes.has("disabled")) continue;
    if (["button", "reset", "image", "file"].includes(type)) continue;
    const isChoice = ["checkbox", "radio"].includes(type);
    if (isChoice && !attributes.has("checked")) continue;
    if (type === "submit") {
      if (hasButton) continue;
      hasButton = true;
    }
    fields[name] = attributes.get("value") ?? (isChoice ? "on" : decode(text ?? ""));
    if (name === "email" || type === "email") emailField ??= name;
  }
  return { action: form.get("action") ?? "", method: (form.get("method") ?? "get").toLowerCase(), fields, emailField };
}

function attributesOf(tag: string): Map<string, string> {
  const attributes = new Map<string, string>();
  const pattern = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g;
  for (const [, name = "", double, single, bare] of tag.matchAll(pattern)) {
    const key = name.toLowerCase();
    if (!attributes.has(key)) attributes.set(key, decode(double ?? single ?? bare ?? ""));
  }
  return attributes;
}

function decode(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (entity, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name] ?? entity;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : entity;
  });
}
