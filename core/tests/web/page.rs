//! Reads a page; enough for the built-in pages, whose attributes are all quoted.

/// The value of an attribute of the first tag that begins with this, decoded.
pub(crate) fn attribute(html: &str, tag: &str, name: &str) -> Option<String> {
    let start = html.find(&format!("<{tag}"))?;
    value(first_tag(html.get(start..)?), name)
}

/// Names and values of the hidden fields.
pub(crate) fn hidden_fields(html: &str) -> Vec<(String, String)> {
    html.split("<input")
        .skip(1)
        .map(first_tag)
        .filter(|tag| value(tag, "type").as_deref() == Some("hidden"))
        .map(|tag| {
            let text = |name| value(tag, name).unwrap_or_default();
            (text("name"), text("value"))
        })
        .collect()
}

/// The content of the only element of a name.
pub(crate) fn element<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = html.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// Decodes the character references that occur in built-in pages.
pub(crate) fn decoded(html: &str) -> String {
    let mut parts = html.split('&');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let reference = part.split_once(';').and_then(|(name, rest)| {
            let character = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                _ => match name.strip_prefix("#x") {
                    Some(digits) => char::from_u32(u32::from_str_radix(digits, 16).ok()?)?,
                    None => char::from_u32(name.strip_prefix('#')?.parse().ok()?)?,
                },
            };
            Some((character, rest))
        });
        if let Some((character, rest)) = reference {
            text.push(character);
            text.push_str(rest);
        } else {
            text.push('&');
            text.push_str(part);
        }
    }
    text
}

/// The tag at the beginning of a text; no attribute contains an unescaped `>`.
fn first_tag(html: &str) -> &str {
    html.split('>').next().unwrap_or_default()
}

fn value(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(decoded(rest.split('"').next()?))
}
