//! TLS connections.

use std::path::PathBuf;

use portier_client::doctor::{DoctorOptions, FindingId, examine};
use portier_client::{Code, RedisStore};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::refusals::whole;
use crate::server::{Redis, code, free_port, limited, put, record, take};

/// Certificates in a temporary directory.
struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// An authority that nobody trusts, and its certificate for `localhost`.
    fn new(name: &str) -> Self {
        let process = std::process::id();
        let folder = std::env::temp_dir().join(format!("portier-redis-tls-{process}-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(params, authority_key);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let client_key = KeyPair::generate().unwrap();
        let mut client = CertificateParams::new(["client".to_owned()]).unwrap();
        // With the same name as its authority, OpenSSL would treat it as self-signed.
        client.distinguished_name.push(DnType::CommonName, "client");
        let client = client.signed_by(&client_key, &issuer).unwrap();
        let both = client.pem() + &client_key.serialize_pem();
        for (file, text) in [
            ("client.pem", client.pem()),
            ("client-key.pem", client_key.serialize_pem()),
            ("both.pem", both),
            ("authority.pem", authority.pem()),
            ("certificate.pem", certificate.pem()),
            ("key.pem", key.serialize_pem()),
        ] {
            std::fs::write(folder.join(file), text).unwrap();
        }
        Self { folder }
    }

    /// A certificate for `localhost` that is its own authority, as `openssl req -x509` makes it.
    fn self_signed(name: &str) -> Self {
        let authority = Self::new(name);
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        for (file, text) in [
            ("authority.pem", certificate.pem()),
            ("certificate.pem", certificate.pem()),
            ("key.pem", key.serialize_pem()),
        ] {
            std::fs::write(authority.folder.join(file), text).unwrap();
        }
        authority
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// A server with TLS on a second port.
    fn server(&self) -> Option<(Redis, u16)> {
        self.server_with(&[])
    }

    fn server_with(&self, more: &[&str]) -> Option<(Redis, u16)> {
        let port = free_port();
        let (port_text, certificate, key) = (
            port.to_string(),
            self.file("certificate.pem"),
            self.file("key.pem"),
        );
        let authority = self.file("authority.pem");
        let mut arguments = vec!["--tls-port", &port_text, "--tls-cert-file", &certificate];
        arguments.extend(["--tls-key-file", &key, "--tls-ca-cert-file", &authority]);
        arguments.extend(["--tls-auth-clients", "no"]);
        arguments.extend(more);
        let redis = Redis::start_with_tls(&arguments)?;
        Some((redis, port))
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn the_doctor_finds_an_authority_that_is_not_trusted() {
    let (trusted, other) = (Authority::new("doctor"), Authority::new("doctor-other"));
    let Some((_redis, port)) = trusted.server() else {
        return;
    };
    limited(async {
        for (file, expected) in [
            (trusted.file("authority.pem"), None),
            (
                other.file("authority.pem"),
                Some(FindingId::StoreCertificate),
            ),
            (
                "/no/such/file.pem".to_owned(),
                Some(FindingId::StoreInvalid),
            ),
        ] {
            let mut options = DoctorOptions::new("https://example.com/verify");
            options.offline = true;
            options.store = Some(format!("rediss://localhost:{port}?ca_file={file}"));
            let report = examine(options).await;
            let healthy = expected.is_none();
            assert_eq!(report.is_healthy(), healthy, "{}", report.to_text(false));
            assert!(
                expected.is_none_or(|id| report.has(id)),
                "{}",
                report.to_text(false)
            );
        }
    })
    .await;
}

#[tokio::test]
async fn with_tls_an_authority_is_trusted_only_if_it_is_configured() {
    let authority = Authority::new("named");
    let stranger = Authority::new("stranger");
    let Some((_redis, port)) = authority.server() else {
        return;
    };
    let url = |authority: &Authority| {
        format!(
            "rediss://localhost:{port}?ca_file={}",
            authority.file("authority.pem")
        )
    };
    limited(async {
        let store = RedisStore::new(&url(&authority)).unwrap();
        put(&store, 1).await.unwrap();
        assert_eq!(take(&store, 1).await.unwrap(), record(1));
        for url in [format!("rediss://localhost:{port}"), url(&stranger)] {
            let result = put(&RedisStore::new(&url).unwrap(), 2).await;
            assert_eq!(code(&result), Code::StoreUnavailable);
            let text = whole(&result.unwrap_err());
            assert!(text.contains("certificate"), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_when_it_is_listed() {
    let listed = Authority::self_signed("self");
    let other = Authority::self_signed("other");
    let Some((_redis, port)) = listed.server() else {
        return;
    };
    let url = |host: &str, authority: &Authority| {
        let file = authority.file("authority.pem");
        format!("rediss://{host}:{port}?ca_file={file}")
    };
    limited(async {
        let store = RedisStore::new(&url("localhost", &listed)).unwrap();
        put(&store, 1).await.unwrap();
        for (host, authority, advice) in [
            ("localhost", &other, "list this very certificate in ca_file"),
            ("127.0.0.1", &listed, "not valid for name"),
        ] {
            let result = put(&RedisStore::new(&url(host, authority)).unwrap(), 2).await;
            assert_eq!(code(&result), Code::StoreUnavailable);
            let text = whole(&result.unwrap_err());
            assert!(text.contains(advice), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn with_tls_the_certificate_must_match_the_name() {
    let authority = Authority::new("name");
    let Some((redis, port)) = authority.server() else {
        return;
    };
    let file = authority.file("authority.pem");
    limited(async {
        let wrong = format!("rediss://127.0.0.1:{port}?ca_file={file}");
        let result = put(&RedisStore::new(&wrong).unwrap(), 1).await;
        assert_eq!(code(&result), Code::StoreUnavailable);
        let text = whole(&result.unwrap_err());
        assert!(text.contains("certificate"), "{text}");
        // A server without TLS, and a client without TLS.
        for url in [
            format!("rediss://localhost:{}?ca_file={file}", redis.port()),
            format!("redis://localhost:{port}"),
        ] {
            let result = put(&RedisStore::new(&url).unwrap(), 1).await;
            assert_eq!(code(&result).kind(), portier_client::Kind::StoreError);
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_of_the_client_is_shown_one() {
    let authority = Authority::new("mutual");
    let stranger = Authority::new("mutual-stranger");
    for (number, protocols) in ["TLSv1.2", "TLSv1.3"].into_iter().enumerate() {
        let more = ["--tls-auth-clients", "yes", "--tls-protocols", protocols];
        let Some((_redis, port)) = authority.server_with(&more) else {
            return;
        };
        let url = format!(
            "rediss://localhost:{port}?ca_file={}",
            authority.file("authority.pem")
        );
        let identity = |authority: &Authority, certificate, key| {
            let (certificate, key) = (authority.file(certificate), authority.file(key));
            format!("&cert_file={certificate}&key_file={key}")
        };
        limited(async {
            for (more, files) in [("client.pem", "client-key.pem"), ("both.pem", "both.pem")]
                .into_iter()
                .enumerate()
            {
                let url = format!("{url}{}", identity(&authority, files.0, files.1));
                let store = RedisStore::new(&url).unwrap();
                let number = number * 2 + more;
                put(&store, number).await.unwrap();
                assert_eq!(take(&store, number).await.unwrap(), record(number));
            }
            let result = put(&RedisStore::new(&url).unwrap(), 9).await;
            assert_eq!(code(&result), Code::StoreUnavailable);
            let text = whole(&result.unwrap_err());
            // An older server does not say what is missing.
            assert!(
                text.contains(if protocols == "TLSv1.3" {
                    "cert_file"
                } else {
                    "alert"
                }),
                "{text}"
            );
            let url = format!(
                "{url}{}",
                identity(&stranger, "client.pem", "client-key.pem")
            );
            let result = put(&RedisStore::new(&url).unwrap(), 9).await;
            assert_eq!(code(&result), Code::StoreUnavailable);
            let text = whole(&result.unwrap_err());
            assert!(text.contains("alert"), "{text}");
        })
        .await;
    }
}

#[test]
fn an_unusable_client_certificate_is_refused_at_once() {
    let authority = Authority::new("identity");
    let encrypted = authority.file("encrypted.pem");
    let marks =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    std::fs::write(&encrypted, marks).unwrap();
    let older = authority.file("older.pem");
    let marks = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    std::fs::write(&older, marks).unwrap();
    let (certificate, key) = (
        authority.file("client.pem"),
        authority.file("client-key.pem"),
    );
    let missing = authority.file("missing.pem");
    for (certificate, key, fact) in [
        (&certificate, &encrypted, "key_file is encrypted"),
        (&certificate, &older, "key_file is encrypted"),
        (&certificate, &missing, "key_file does not exist"),
        (
            &certificate,
            &certificate,
            "key_file has no PEM private key",
        ),
        (
            &certificate,
            &authority.file("key.pem"),
            "key_file is not the key",
        ),
        (&missing, &key, "cert_file does not exist"),
        (&key, &key, "cert_file has no PEM certificate"),
    ] {
        let url = format!("rediss://localhost?cert_file={certificate}&key_file={key}");
        let error = RedisStore::new(&url).unwrap_err();
        assert_eq!(error.code(), Code::InvalidOption);
        assert!(error.to_string().contains(fact), "{error}");
        assert!(!whole(&error).contains(&authority.file("")), "{error:?}");
    }
    for query in [
        format!("rediss://localhost?cert_file={certificate}"),
        format!("rediss://localhost?key_file={key}"),
        format!("redis://localhost?cert_file={certificate}&key_file={key}"),
    ] {
        let error = RedisStore::new(&query).unwrap_err();
        assert_eq!(error.code(), Code::InvalidOption);
        assert!(error.to_string().contains("key_file"), "{error}");
    }
}
