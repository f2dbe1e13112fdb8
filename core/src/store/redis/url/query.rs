//! The parameters of a URL.

use super::{decoded, invalid};
use crate::error::{Error, Result};

/// All parameters, of all kinds of URLs. `documents` was removed before.
const KNOWN: [&str; 11] = [
    "prefix",
    "documents",
    "replicas",
    "ca_file",
    "cert_file",
    "key_file",
    "db",
    "username",
    "password",
    "sentinel_username",
    "sentinel_password",
];

/// The parameters of a URL. Each is taken once.
pub(super) struct Query<'a> {
    pairs: Vec<(&'a str, String)>,
    taken: Vec<&'static str>,
    names: Names<'a>,
}

impl<'a> Query<'a> {
    /// Splits the text after the question mark. `user` is the user and the password of the URL.
    pub(super) fn parse(text: &'a str, user: Option<&'a str>) -> Result<Self> {
        let names = Names { query: text, user };
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| names.error("a parameter has no value", pair))?;
            Ok((name, decoded(value)?))
        });
        Ok(Self {
            pairs: pairs.collect::<Result<_>>()?,
            taken: Vec::new(),
            names,
        })
    }

    pub(super) fn take(&mut self, name: &'static str) -> Option<String> {
        self.taken.push(name);
        let position = self.pairs.iter().position(|(other, _)| *other == name)?;
        Some(self.pairs.remove(position).1)
    }

    /// Refuses parameters that were not taken.
    pub(super) fn finish(self) -> Result<()> {
        let Some((name, _)) = self.pairs.first() else {
            return Ok(());
        };
        Err(if self.taken.contains(name) {
            self.names.error("a parameter is given twice", name)
        } else if KNOWN.contains(name) {
            self.names
                .error("a parameter is not for this kind of URL", name)
        } else {
            let known =
                format_args!("a parameter is unknown known={}", KNOWN.join(",")).to_string();
            self.names.error(&known, name)
        })
    }
}

/// Which names may be shown: a password that was not percent-encoded may look like a parameter.
#[derive(Clone, Copy)]
struct Names<'a> {
    query: &'a str,
    user: Option<&'a str>,
}

impl Names<'_> {
    fn error(self, fact: &str, name: &str) -> Error {
        if self.may_show(name) {
            invalid(&format!("{fact} parameter={name}"))
        } else {
            invalid(fact)
        }
    }

    fn may_show(self, name: &str) -> bool {
        let is_name = (1..=32).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let is_of_the_user =
            self.query.contains('@') || self.user.is_some_and(|user| user.contains(name));
        KNOWN.contains(&name) || (is_name && !is_of_the_user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str, user: Option<&str>) -> String {
        let query = Query::parse(text, user).and_then(|mut query| {
            query.take("prefix");
            query.finish()
        });
        let error = query.unwrap_err().to_string();
        let (_, fact) = error.split_once(": ").unwrap();
        fact.to_owned()
    }

    #[test]
    fn a_parameter_that_cannot_be_used_is_named() {
        for (text, fact) in [
            (
                "prefix=a&prefix=b",
                "a parameter is given twice parameter=prefix",
            ),
            (
                "db=1",
                "a parameter is not for this kind of URL parameter=db",
            ),
            ("insecure", "a parameter has no value parameter=insecure"),
        ] {
            assert_eq!(error(text, None), fact);
        }
        for name in [
            "ssl_certfile",
            "ssl_cert_reqs",
            "insecure",
            "Prefix",
            "tls-ca",
        ] {
            let text = error(&format!("prefix=a&{name}=none"), Some(":secret"));
            assert!(
                text.starts_with("a parameter is unknown known=prefix,"),
                "{text}"
            );
            assert!(text.ends_with(&format!(" parameter={name}")), "{text}");
        }
    }

    #[test]
    fn possible_parts_of_a_password_are_not_shown() {
        let long = format!("{}=1", "a".repeat(33));
        for (text, user) in [
            ("hunter2=1", Some(":hunter2")),
            ("hunter2=1@localhost", None),
            ("hunter2@localhost", None),
            ("hunter2%20x=1", None),
            ("=1", None),
            (&long, None),
        ] {
            let text = error(text, user);
            assert!(!text.contains("parameter="), "{text}");
        }
    }
}
