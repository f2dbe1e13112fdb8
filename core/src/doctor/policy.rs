//! Which targets of a form a `Content-Security-Policy` allows (CSP Level 3, section 6.7.2.8).

use url::Url;

/// The sources of `targets` that a page with these policies may not send a form to. A header can hold several
/// policies, and all of them apply.
pub(super) fn forbidden<'a>(
    policies: &[String],
    page: &Url,
    targets: &'a [String],
) -> Vec<&'a str> {
    let lists: Vec<Vec<&str>> = policies
        .iter()
        .flat_map(|header| header.split(','))
        .filter_map(form_action)
        .collect();
    let is_allowed = |target: &str| {
        let Ok(url) = Url::parse(target) else {
            // `'self'`, the page's own origin.
            return lists
                .iter()
                .all(|sources| sources.iter().any(|source| matches(source, page, page)));
        };
        lists
            .iter()
            .all(|sources| sources.iter().any(|source| matches(source, &url, page)))
    };
    targets
        .iter()
        .map(String::as_str)
        .filter(|target| !is_allowed(target))
        .collect()
}

/// The policies in the elements `meta` of a page.
pub(super) fn policies_in(page: &str) -> Vec<String> {
    let lower = page.to_ascii_lowercase();
    let starts = lower.match_indices("<meta").map(|(start, _)| start);
    let elements = starts.filter_map(|start| {
        let end = start + lower.get(start..)?.find('>')?;
        lower.get(start..end)
    });
    elements
        .filter(|element| {
            attribute(element, "http-equiv").as_deref() == Some("content-security-policy")
        })
        .filter_map(|element| attribute(element, "content"))
        .collect()
}

/// The value of an attribute of an element, in lowercase as a policy may be.
fn attribute(element: &str, name: &str) -> Option<String> {
    let mut rest = element;
    loop {
        let (before, after) = rest.split_once(name)?;
        let is_whole = before.ends_with(|last: char| last.is_ascii_whitespace() || last == '/');
        rest = after;
        let Some(value) = after.trim_start().strip_prefix('=').filter(|_| is_whole) else {
            continue;
        };
        let value = value.trim_start();
        let quote = value
            .chars()
            .next()
            .filter(|first| matches!(first, '"' | '\''))?;
        let value = value.get(1..)?.split(quote).next()?;
        let entities = [
            ("&#39;", "'"),
            ("&#x27;", "'"),
            ("&apos;", "'"),
            ("&amp;", "&"),
        ];
        return Some(
            entities
                .iter()
                .fold(value.to_owned(), |value, (entity, character)| {
                    value.replace(entity, character)
                }),
        );
    }
}

/// The sources of the first `form-action` of a policy. Without one, every target is allowed: `default-src` does
/// not apply.
fn form_action(policy: &str) -> Option<Vec<&str>> {
    let mut directives = policy.split(';').map(str::split_ascii_whitespace);
    directives.find_map(|mut words| {
        let is_form_action = words.next()?.eq_ignore_ascii_case("form-action");
        is_form_action.then(|| words.collect())
    })
}

fn matches(source: &str, url: &Url, page: &Url) -> bool {
    let source = source.to_ascii_lowercase();
    if source == "'self'" {
        return url.origin() == page.origin();
    }
    if source == "*" {
        return matches!(url.scheme(), "http" | "https");
    }
    if let Some(scheme) = source.strip_suffix(':') {
        return is_scheme(scheme, url.scheme());
    }
    let (scheme, rest) = match source.split_once("://") {
        Some((scheme, rest)) => (scheme.to_owned(), rest),
        None => (page.scheme().to_owned(), source.as_str()),
    };
    let host_and_port = rest.split('/').next().unwrap_or_default();
    let (host, port) = match host_and_port.rsplit_once(':') {
        Some((host, port)) if port == "*" || port.parse::<u16>().is_ok() => (host, Some(port)),
        _ => (host_and_port, None),
    };
    is_scheme(&scheme, url.scheme()) && is_host(host, url) && is_port(port, url)
}

/// A source with `http` also allows `https`.
fn is_scheme(source: &str, scheme: &str) -> bool {
    source == scheme || (source == "http" && scheme == "https")
}

fn is_host(source: &str, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    match source.strip_prefix('*') {
        Some(suffix) => !suffix.is_empty() && host.len() > suffix.len() && host.ends_with(suffix),
        None => host == source,
    }
}

fn is_port(source: Option<&str>, url: &Url) -> bool {
    match source {
        Some("*") => true,
        Some(port) => {
            url.port_or_known_default()
                .map(|found| found.to_string())
                .as_deref()
                == Some(port)
        }
        None => url.port().is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(policies: &[&str], target: &str) -> bool {
        let page = Url::parse("https://example.com/login").unwrap();
        let policies: Vec<String> = policies.iter().map(|policy| (*policy).to_owned()).collect();
        forbidden(&policies, &page, &[target.to_owned()]).is_empty()
    }

    #[test]
    fn a_policy_allows_the_targets_that_it_lists() {
        let broker = "https://broker.portier.io";
        for (policies, expected) in [
            (&[][..], true),
            (&["default-src 'self'"], true),
            (&["form-action 'self'"], false),
            (&["form-action 'none'"], false),
            (&["form-action"], false),
            (&["form-action 'self' https://broker.portier.io"], true),
            (&["FORM-ACTION 'self' HTTPS://BROKER.PORTIER.IO"], true),
            (&["form-action broker.portier.io"], true),
            (&["form-action https:"], true),
            (&["form-action http:"], true),
            (&["form-action *"], true),
            (&["form-action https://*.portier.io"], true),
            (&["form-action https://*.broker.portier.io"], false),
            (&["form-action https://broker.portier.io:443"], true),
            (&["form-action https://broker.portier.io:8443"], false),
            (&["form-action https://broker.portier.io:*"], true),
            (&["form-action https://broker.portier.io/auth"], true),
            (&["form-action https:; form-action 'none'"], true),
            (&["form-action https:, form-action 'self'"], false),
            (&["form-action https:", "form-action 'self'"], false),
        ] {
            assert_eq!(allows(policies, broker), expected, "{policies:?}");
        }
        assert!(allows(&["form-action 'self'"], "'self'"));
        assert!(allows(&["form-action https://example.com"], "'self'"));
        assert!(!allows(
            &["form-action https://broker.portier.io"],
            "'self'"
        ));
        assert!(allows(
            &["form-action http://localhost:3333"],
            "http://localhost:3333"
        ));
        assert!(!allows(
            &["form-action http://localhost"],
            "http://localhost:3333"
        ));
    }

    #[test]
    fn policies_of_a_page_are_read() {
        for (page, expected) in [
            ("<p>form-action</p>", &[][..]),
            (
                r#"<meta http-equiv="Content-Security-Policy" content="form-action 'self'">"#,
                &["form-action 'self'"],
            ),
            (
                "<META\n content='img-src https:' HTTP-EQUIV = 'content-security-policy'/>",
                &["img-src https:"],
            ),
            (
                r#"<meta http-equiv="content-security-policy" content="form-action &#39;none&#39;">"#,
                &["form-action 'none'"],
            ),
            (
                r#"<meta name="description" content="form-action"><meta http-equiv="refresh" content="5">"#,
                &[],
            ),
            (
                r#"<meta http-equiv="content-security-policy" data-content="a">"#,
                &[],
            ),
            ("<meta http-equiv=\"content-security-policy\" content=", &[]),
        ] {
            assert_eq!(policies_in(page), expected, "{page}");
        }
    }
}
