//! The cookies of a login: how they are read and written.

/// The names of the cookies of a site.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cookies {
    /// The secret of the browser, to which logins are bound.
    pub(super) secret: Cookie,
    /// Set with the page that posts again, to find out whether the browser keeps cookies.
    pub(super) probe: Cookie,
    /// Proves that the person of a login was signed in in this browser.
    pub(super) signed_in: Cookie,
    /// The sealed session.
    pub(super) session: Cookie,
    is_secure: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Cookie {
    name: &'static str,
    max_age_seconds: u64,
}

/// The maximum duration of a login, including the time that people need.
const SECRET_SECONDS: u64 = 24 * 60 * 60;

/// The lifetime of the broker's answer.
const ANSWER_SECONDS: u64 = 10 * 60;

impl Cookies {
    /// Browsers accept a `__Host-` cookie only from this host, and only over `https`.
    pub(super) fn for_site(is_secure: bool) -> Self {
        let cookie = |secure, plain, max_age_seconds| Cookie {
            name: if is_secure { secure } else { plain },
            max_age_seconds,
        };
        Self {
            secret: cookie("__Host-portier", "portier", SECRET_SECONDS),
            probe: cookie("__Host-portier-probe", "portier-probe", ANSWER_SECONDS),
            signed_in: cookie(
                "__Host-portier-signed-in",
                "portier-signed-in",
                ANSWER_SECONDS,
            ),
            session: cookie("__Host-portier-session", "portier-session", 0),
            is_secure,
        }
    }

    /// The value of a `Set-Cookie` header.
    pub(super) fn set(&self, cookie: Cookie, value: &str) -> String {
        self.set_for(cookie, value, cookie.max_age_seconds)
    }

    /// The value of a `Set-Cookie` header that deletes the cookie.
    pub(super) fn clear(&self, cookie: Cookie) -> String {
        self.set_for(cookie, "", 0)
    }

    /// Like [`Cookies::set`], for another lifetime.
    pub(super) fn set_for(&self, cookie: Cookie, value: &str, seconds: u64) -> String {
        let (name, secure) = (cookie.name, if self.is_secure { "; Secure" } else { "" });
        let seconds = seconds.to_string();
        let [before, after] = ["; Max-Age=", "; Path=/; HttpOnly; SameSite=Lax"];
        [name, "=", value, before, &seconds, after, secure].concat()
    }
}

impl Cookie {
    /// The value in a `Cookie` header.
    ///
    /// Names are trimmed exactly as browsers do. Another host of the domain may set a cookie whose
    /// name begins with another kind of space, followed by `__Host-`. If a name occurs twice, both
    /// cookies are ignored.
    pub(super) fn read(self, header: Option<&str>) -> Option<&str> {
        let pairs = header?
            .split(';')
            .map(|pair| pair.trim_matches([' ', '\t']));
        let mut named = pairs.filter_map(|pair| pair.strip_prefix(self.name)?.strip_prefix('='));
        let value = named.next()?;
        named.next().is_none().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_exact_name() {
        let secret = Cookies::for_site(true).secret;
        for (header, expected) in [
            ("__Host-portier=a", Some("a")),
            ("x=1; __Host-portier=a; y=2", Some("a")),
            ("x=1;\t__Host-portier=a", Some("a")),
            ("__Host-portier=a=b", Some("a=b")),
            ("__Host-portier=", Some("")),
            ("__Host-portier=a; __Host-portier=a", None),
            ("\u{a0}__Host-portier=a", None),
            ("\u{b}__Host-portier=a", None),
            ("__host-portier=a", None),
            ("__Host-portier =a", None),
            ("portier=a", None),
            ("__Host-portier", None),
            ("", None),
        ] {
            assert_eq!(secret.read(Some(header)), expected, "{header:?}");
        }
        assert_eq!(secret.read(None), None);
    }

    #[test]
    fn only_a_site_behind_https_has_secure_cookies() {
        let secure = Cookies::for_site(true);
        let plain = Cookies::for_site(false);
        assert_eq!(
            secure.set(secure.secret, "a"),
            "__Host-portier=a; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            plain.set(plain.probe, "1"),
            "portier-probe=1; Max-Age=600; Path=/; HttpOnly; SameSite=Lax"
        );
    }
}
