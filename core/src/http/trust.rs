//! Describes which servers the HTTP transport trusts, as a text that can be compared.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::CertificateDer;

use super::options::HttpOptions;

/// The variables that replace the system's authorities on Linux.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Describes the trust of a client with these options. Two clients with the same
/// description trust the same servers, provided that their systems trust the same authorities.
///
/// Proxies are omitted: with `https` they cannot read or change anything.
pub(super) fn describe(options: &HttpOptions) -> String {
    describe_in(options, options.listed.certificates(), |name| {
        std::env::var_os(name)
    })
}

fn describe_in(
    options: &HttpOptions,
    listed: &[CertificateDer<'static>],
    variable: impl Fn(&str) -> Option<OsString>,
) -> String {
    // All options are listed, so that a new one does not compile before it was considered here.
    let HttpOptions {
        timeout: _,
        broker,
        danger_allow_http,
        // Its certificates are given beside it.
        listed: _,
        user_agent: _,
    } = options;
    let mut authorities = BTreeSet::new();
    authorities.extend(listed.iter().map(|der| STANDARD.encode(der)));
    // Without the variables, the system's authorities are used, which are not compared.
    let named: Vec<OsString> = VARIABLES.iter().filter_map(|name| variable(name)).collect();
    for path in &named {
        add_authorities_in(path.as_ref(), &mut authorities);
    }
    let of_system = named.is_empty();
    let secure = broker.is_secure();
    // With an https broker, plain http is never used.
    let anywhere = *danger_allow_http && !secure;
    let all = format!(
        "secure={secure} anywhere={anywhere} system={of_system} authorities={authorities:?}"
    );
    let short = URL_SAFE_NO_PAD.encode(digest(&SHA256, all.as_bytes()));
    format!("http {short}")
}

/// Adds the certificates of a PEM file, or of all files in a directory, without white space, so that
/// the layout does not matter. An unreadable file counts as empty, and so do a pipe and a device.
fn add_authorities_in(path: &Path, authorities: &mut BTreeSet<String>) {
    if let Ok(directory) = std::fs::read_dir(path) {
        let files = directory.flatten().map(|entry| entry.path());
        for file in files.filter(|path| path.is_file()) {
            add_authorities_in(&file, authorities);
        }
        return;
    }
    if !path.is_file() {
        return;
    }
    // Comments may be in any encoding.
    let bytes = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let bodies = blocks.filter_map(|block| block.split_once("-----END CERTIFICATE-----"));
    authorities.extend(bodies.map(|(body, _)| body.split_ascii_whitespace().collect::<String>()));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::origin::Origin;
    use crate::tls::Listed;

    /// A directory that is removed.
    struct Directory(std::path::PathBuf);

    impl Directory {
        fn new() -> Self {
            let name = format!("portier-client-{}-trust", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn file(&self, name: &str, text: impl AsRef<[u8]>) -> std::path::PathBuf {
            let path = self.0.join(name);
            std::fs::write(&path, text).unwrap();
            path
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn options(broker: &str) -> HttpOptions {
        HttpOptions {
            timeout: Duration::from_secs(1),
            broker: Origin::parse(broker, true).unwrap(),
            danger_allow_http: false,
            listed: Listed::of_option(None).unwrap(),
            user_agent: None,
        }
    }

    fn pem(base64: &str) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn the_same_authorities_are_the_same_trust_however_they_are_written() {
        let directory = Directory::new();
        let (a, b) = (pem("AAAA\nBBBB"), pem("CCCC"));
        let one = directory.file("one", format!("{a}{b}"));
        let comments = [b"A comment\r\n".as_slice(), b"\xE9\r\n"].concat();
        let layout = format!("{b}\r\n{b}{}", pem("AAAABBBB"));
        let same = directory.file("same", [comments, layout.into_bytes()].concat());
        let other = directory.file("other", a);
        let secure = || options("https://broker.example");
        let listed = |base64: &[&str]| -> Vec<_> {
            let listed = base64.iter().map(|der| STANDARD.decode(der).unwrap());
            listed.map(CertificateDer::from).collect()
        };
        let trust = |base64: &[&str]| describe_in(&secure(), &listed(base64), |_| None);
        assert_eq!(
            trust(&["AAAABBBB", "CCCC"]),
            trust(&["CCCC", "AAAABBBB", "CCCC"])
        );
        let mut timeout = secure();
        timeout.timeout = Duration::from_secs(60);
        timeout.user_agent = Some("another".to_owned());
        assert_eq!(describe_in(&timeout, &[], |_| None), trust(&[]));
        let mut all = vec![trust(&[]), trust(&["AAAABBBB", "CCCC"]), trust(&["CCCC"])];
        let insecure = options("http://broker.example");
        all.push(describe_in(&insecure, &[], |_| None));
        let plain = HttpOptions {
            danger_allow_http: true,
            ..insecure
        };
        all.push(describe_in(&plain, &[], |_| None));
        let named = |name, path: &Path, base64: &[&str]| {
            let variable = |asked: &str| (asked == name).then(|| path.into());
            describe_in(&secure(), &listed(base64), variable)
        };
        let [file, folder] = VARIABLES;
        all.push(named(file, &one, &[]));
        all.push(named(file, &other, &[]));
        assert_eq!(named(file, &same, &[]), named(file, &one, &[]));
        // It does not matter who names an authority, or how often.
        assert_eq!(named(folder, &one, &[]), named(file, &one, &[]));
        assert_eq!(named(folder, &directory.0, &[]), named(file, &one, &[]));
        assert_eq!(named(file, &one, &["CCCC"]), named(file, &one, &[]));
        let different: BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
