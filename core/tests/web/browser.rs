//! A minimal browser: its cookies, and the current page.

use std::collections::BTreeMap;
use std::time::SystemTime;

#[derive(Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, (String, Option<SystemTime>)>,
    /// The hidden fields of the current page.
    pub(crate) fields: Vec<(String, String)>,
}

impl Browser {
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(|(value, _)| value.as_str())
    }

    pub(crate) fn set_cookie(&mut self, name: &str, value: Option<String>) {
        match value {
            Some(value) => self.cookies.insert(name.to_owned(), (value, None)),
            None => self.cookies.remove(name),
        };
    }

    /// The header `Cookie`, without expired cookies.
    pub(crate) fn cookie_header(&mut self, now: SystemTime) -> Option<String> {
        self.cookies
            .retain(|_, (_, end)| end.is_none_or(|end| now < end));
        let pairs = self.cookies.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, (value, _))| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Keeps the cookie of a `Set-Cookie` header.
    pub(crate) fn keep(&mut self, header: &str, now: SystemTime) {
        let (pair, flags) = header.split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let age = flags
            .split(';')
            .find_map(|flag| flag.trim().strip_prefix("Max-Age="));
        let end = age.map(|age| now + std::time::Duration::from_secs(age.parse().unwrap()));
        self.cookies
            .insert(name.to_owned(), (value.to_owned(), end));
    }
}
