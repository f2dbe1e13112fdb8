//! What the doctor can find, and what to do about it.

use std::collections::BTreeMap;

use serde_json::Value;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// All is well.
    Ok,
    /// Good to know; nothing has to be done.
    Note,
    /// Some logins may fail, or be less secure.
    Warning,
    /// Logins fail.
    Error,
}

impl Level {
    /// The level as text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One result of the doctor.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// What was found.
    pub id: FindingId,
    /// A sentence or two for the operator. It contains no secret.
    pub text: String,
    /// Figures and names, for programs.
    pub values: BTreeMap<&'static str, Value>,
}

impl Finding {
    pub(super) fn new(id: FindingId, text: impl Into<String>) -> Self {
        Self {
            id,
            text: text.into(),
            values: BTreeMap::new(),
        }
    }

    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.values.insert(name, value.into());
        self
    }

    /// The name and the version of what was examined, if it has told them.
    pub(super) fn version(&self) -> Option<(String, String)> {
        let value = |name| self.values.get(name)?.as_str().map(str::to_owned);
        Some((value("software")?, value("version")?))
    }
}

macro_rules! findings {
    ($($name:ident = $id:literal, $level:ident, $advice:literal;)*) => {
        /// The stable names of findings.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum FindingId {
            $(#[doc = concat!("`", $id, "`")] $name,)*
        }

        impl FindingId {
            /// All findings.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name, the same in every language and version.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// How bad it is.
            pub fn level(self) -> Level {
                match self { $(Self::$name => Level::$level,)* }
            }

            /// What to do, unless nothing has to be done.
            pub fn advice(self) -> Option<&'static str> {
                let advice = match self { $(Self::$name => $advice,)* };
                (!advice.is_empty()).then_some(advice)
            }
        }
    };
}

findings! {
    OptionsInvalid = "options.invalid", Error,
        "Correct the option.";
    Offline = "offline", Note, "";

    SecretInvalid = "secret.invalid", Error,
        "Set it to 32 random bytes or more, such as from openssl rand -base64 32.";

    RedirectUri = "redirect_uri", Ok, "";
    RedirectUriPlainHttp = "redirect_uri.plain_http", Warning,
        "Serve the site over https, and use that URL. Over http, others on the network can take over logins.";
    RedirectUriAddress = "redirect_uri.address", Note,
        "Open the site by exactly this address, not as localhost: cookies of one are not sent to the other.";
    RedirectUriAnyAddress = "redirect_uri.any_address", Error,
        "Use the name or the address by which browsers open the site, such as localhost: a server can only listen on this address.";
    RedirectUriSpelling = "redirect_uri.spelling", Note,
        "Write the redirect URI like this everywhere, also in the routes of the site.";
    RedirectUriRefused = "redirect_uri.refused", Error,
        "Ask the operator of the broker whether it serves this site, and compare scheme, host and port.";

    ProcessesMemory = "processes.memory", Error,
        "Give the client a secret, or a store that the processes share.";

    Proxy = "proxy", Ok, "";
    ProxyInvalid = "proxy.invalid", Error,
        "Correct or unset the variable.";
    ProxyUnreachable = "proxy.unreachable", Error,
        "Start the proxy, correct the variable, or name the broker in NO_PROXY.";
    ProxyExceptions = "proxy.exceptions", Warning,
        "Write names, addresses and networks such as 10.0.0.0/8, separated by commas: the broker is reached through the proxy.";
    Tls = "tls", Ok, "";
    TlsNoAuthorities = "tls.no_authorities", Error,
        "Install the package ca-certificates, or correct SSL_CERT_FILE and SSL_CERT_DIR.";

    Network = "network", Ok, "";
    NetworkNoName = "network.no_name", Error,
        "Check the name of the broker, and the name servers of this machine (/etc/resolv.conf).";
    NetworkUnreachable = "network.unreachable", Error,
        "Check the host and the port of the broker. Allow connections to it in the firewall, or set HTTPS_PROXY.";
    NetworkOneFamily = "network.one_family", Warning,
        "Repair or turn off that version of IP on this machine: some requests wait for it first.";
    NetworkSlow = "network.slow", Warning,
        "Look at the route and the name servers: each first login of a process waits that long.";

    Broker = "broker", Ok, "";
    BrokerFailed = "broker.failed", Error,
        "Logins cannot start until the broker answers. The error says what is wrong.";
    BrokerScheme = "broker.scheme", Error,
        "Give the broker with the scheme that this port speaks, or with the port that speaks this scheme.";
    BrokerCertificate = "broker.certificate", Error,
        "If a proxy or the broker has its own certificate authority, name its file with ca_file.";
    BrokerCertificateExpired = "broker.certificate_expired", Error,
        "Let the operator of the broker renew it. If the clock of this machine is wrong, correct the clock.";
    BrokerCertificateName = "broker.certificate_name", Error,
        "Give the broker under a name that is in its certificate.";
    BrokerNoCodeFlow = "broker.no_code_flow", Note,
        "Logins use the implicit flow. Newer brokers offer the code flow, which needs no page that posts again.";
    BrokerSlow = "broker.slow", Warning,
        "Each first login of a process waits that long. Call warm() when the site starts.";
    Keys = "keys", Ok, "";
    KeysFailed = "keys.failed", Error,
        "No login can complete until the broker's keys can be fetched.";
    KeysShortLived = "keys.short_lived", Warning,
        "Ask the operator of the broker for a longer Cache-Control: max-age.";
    Clock = "clock", Ok, "";
    ClockDrifts = "clock.drifts", Warning,
        "Synchronize the clock of this machine (NTP).";
    ClockDiffers = "clock.differs", Error,
        "Synchronize the clock of this machine (NTP): valid logins are refused.";

    Store = "store", Ok, "";
    StoreMemory = "store.memory", Note,
        "This is right for one process. Logins that are under way are lost when it restarts.";
    StoreInvalid = "store.invalid", Error,
        "Correct the URL of the store, or the folder that it names. The error says what is wrong.";
    StoreFailed = "store.failed", Error,
        "No login can start or complete until the store works. The error says what is wrong.";
    StoreCertificate = "store.certificate", Error,
        "If the server has its own certificate authority, name its file with the parameter ca_file of the URL.";
    StoreNotShared = "store.not_shared", Error,
        "Use a store that all processes reach: otherwise they do not find each other's logins.";
    StoreNotAtomic = "store.not_atomic", Error,
        "Use a store that removes and returns a record in one step: otherwise a login could complete twice.";
    StoreSlow = "store.slow", Warning,
        "Move the store closer to the site, or find out why it is slow.";
    StoreEvicts = "store.evicts", Warning,
        "Set maxmemory-policy to noeviction: otherwise this server may drop pending logins, and the records of used ones.";
    StoreNearlyFull = "store.nearly_full", Warning,
        "Give the server more memory, or delete what is not needed: it refuses new logins when its memory is full.";
    StoreNotExamined = "store.not_examined", Note,
        "Allow the user of the store the command INFO, or check maxmemory-policy and the append-only file yourself.";
    StoreNotPersistent = "store.not_persistent", Note,
        "Logins that are under way are lost when this server restarts. Turn on its append-only file to keep them.";

    LoginPage = "login_page", Ok, "";
    LoginPageUnreachable = "login_page.unreachable", Error,
        "Start the site, and check the URL.";
    LoginPageScheme = "login_page.scheme", Error,
        "Open the site with the scheme that this port speaks, or at the port that speaks this scheme.";
    LoginPageStatus = "login_page.status", Error,
        "Check the URL of the page with the login form. If the status is 500 or more, the log of the site says why.";
    LoginPageRedirectLoop = "login_page.redirect_loop", Error,
        "If a proxy ends TLS, let it send X-Forwarded-Proto, and let the framework trust it. Otherwise, exempt the page from what requires a login.";
    LoginPageElsewhere = "login_page.elsewhere", Warning,
        "Open the login page under the origin of the redirect URI: cookies of one are not sent to the other.";
    LoginPageNoForm = "login_page.no_form", Warning,
        "Check the URL, or the name of the field: the form posts an input with the name email.";
    LoginPagePolicy = "login_page.policy", Error,
        "Add these sources to form-action of the page's Content-Security-Policy: the button does nothing otherwise.";
    LoginPageCookieStrict = "login_page.cookie_strict", Warning,
        "Use SameSite=Lax: people return from the broker's site, and a Strict cookie is not sent then.";
    LoginPageCookieInsecure = "login_page.cookie_insecure", Warning,
        "Add Secure to the cookie.";
    LoginPageCookieDropped = "login_page.cookie_dropped", Warning,
        "Correct the attributes of the cookie: browsers drop it.";
    Callback = "callback", Ok, "";
    CallbackMissing = "callback.missing", Error,
        "Route every method of the redirect URI's path to the login flow, and exempt its POST from CSRF protection.";
    CallbackRedirected = "callback.redirected", Error,
        "Give the redirect URI as the site answers it, with or without the slash at its end, and exempt it from what requires a login: a redirect loses the broker's answer.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_explains_every_finding() {
        let page = include_str!("../../docs/doctor.md");
        for id in FindingId::ALL {
            let (name, level) = (id.as_str(), id.level().as_str());
            let (_, rest) = page
                .split_once(&format!("\n### {name}\n\n"))
                .unwrap_or_default();
            assert!(rest.to_ascii_lowercase().starts_with(level), "{name}");
            let section = rest.split("\n### ").next().unwrap_or_default();
            assert!(section.contains(id.advice().unwrap_or_default()), "{name}");
        }
    }

    #[test]
    fn findings_that_need_action_say_what_to_do() {
        for id in FindingId::ALL {
            let has_advice = id.advice().is_some();
            assert!(has_advice || id.level() <= Level::Note, "{}", id.as_str());
            assert!(!has_advice || id.level() > Level::Ok, "{}", id.as_str());
        }
    }
}
