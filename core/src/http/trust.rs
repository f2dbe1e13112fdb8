//! Describes which servers the HTTP transport trusts, as a text that can be compared.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::CertificateDer;

use super::options::HttpOptions;
use crate::tls;

/// The variables that replace the system's authorities on Linux.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Describes the trust of a client with these options. Two clients with the same description trust the same
/// servers, provided that their systems trust the same authorities.
///
/// Proxies are omitted: with `https` they cannot read or change anything.
pub(super) fn describe(options: &HttpOptions) -> String {
    let extra = tls::extra_certificates();
    describe_in(options, &extra, |name| std::env::var_os(name))
}

fn describe_in(
    options: &HttpOptions,
    extra: &[CertificateDer<'static>],
    variable: impl Fn(&str) -> Option<OsString>,
) -> String {
    // All options are listed, so that a new one does not compile before it was considered here.
    let HttpOptions {
        timeout: _,
        broker,
        danger_allow_http,
        ca_file,
        user_agent: _,
    } = options;
    let mut authorities: BTreeSet<String> = extra.iter().map(|der| STANDARD.encode(der)).collect();
    authorities.extend(ca_file.iter().flat_map(|path| authorities_in(path)));
    // Without the variables, the system's authorities are used, which are not compared.
    let named: Vec<OsString> = VARIABLES.iter().filter_map(|name| variable(name)).collect();
    authorities.extend(named.iter().flat_map(|path| authorities_in(path.as_ref())));
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

/// The certificates of a PEM file, or of all files in a directory, sorted and without white space, so that
/// the layout does not matter. An unreadable file counts as empty.
fn authorities_in(path: &Path) -> BTreeSet<String> {
    if let Ok(directory) = std::fs::read_dir(path) {
        let files = directory.flatten().map(|entry| entry.path());
        let files = files.filter(|path| path.is_file());
        return files.flat_map(|file| authorities_in(&file)).collect();
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    blocks
        .filter_map(|block| block.split_once("-----END CERTIFICATE-----"))
        .map(|(base64, _)| base64.split_ascii_whitespace().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::origin::Origin;

    /// A directory that is removed.
    struct Directory(std::path::PathBuf);

    impl Directory {
        fn new() -> Self {
            let name = format!("portier-client-{}-trust", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
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

    fn options(broker: &str, ca_file: Option<&Path>) -> HttpOptions {
        HttpOptions {
            timeout: Duration::from_secs(1),
            broker: Origin::parse(broker, true).unwrap(),
            danger_allow_http: false,
            ca_file: ca_file.map(Path::to_owned),
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
        let one = directory.file("one", &format!("{a}{b}"));
        let same = directory.file(
            "same",
            &format!("A comment\r\n{b}\r\n{b}{}", pem("AAAABBBB")),
        );
        let other = directory.file("other", &a);
        let secure = "https://broker.example";
        let trust = |file: Option<&Path>| describe_in(&options(secure, file), &[], |_| None);
        assert_eq!(trust(Some(&one)), trust(Some(&same)));
        let mut timeout = options(secure, Some(&one));
        timeout.timeout = Duration::from_secs(60);
        timeout.user_agent = Some("another".to_owned());
        assert_eq!(describe_in(&timeout, &[], |_| None), trust(Some(&one)));
        let mut all = vec![trust(None), trust(Some(&one)), trust(Some(&other))];
        all.push(describe_in(
            &options("http://broker.example", None),
            &[],
            |_| None,
        ));
        let plain = HttpOptions {
            danger_allow_http: true,
            ..options("http://broker.example", None)
        };
        all.push(describe_in(&plain, &[], |_| None));
        let extra = [CertificateDer::from(b"extra".to_vec())];
        all.push(describe_in(&options(secure, None), &extra, |_| None));
        let named = |name, path: &Path, extra: &[CertificateDer<'static>]| {
            let variable = |asked: &str| (asked == name).then(|| path.into());
            describe_in(&options(secure, None), extra, variable)
        };
        let [file, folder] = VARIABLES;
        all.push(named(file, &one, &[]));
        all.push(named(file, &other, &[]));
        // It does not matter who names an authority, or how often.
        assert_eq!(named(folder, &one, &[]), named(file, &one, &[]));
        assert_eq!(named(folder, &directory.0, &[]), named(file, &one, &[]));
        let again = CertificateDer::from(STANDARD.decode("CCCC").unwrap());
        assert_eq!(named(file, &one, &[again]), named(file, &one, &[]));
        let different: BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
