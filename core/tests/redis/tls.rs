//! Whom connections with TLS trust.

use std::path::PathBuf;

use portier_client::{Code, RedisStore};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::refusals::whole;
use crate::server::{Redis, code, free_port, limited, put, record, take};

/// Certificates in a folder of their own.
struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// An authority trusted by nobody, and a certificate of it for `localhost`.
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
        for (file, text) in [
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
        let port = free_port();
        let redis = Redis::start_with_tls(&[
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &self.file("certificate.pem"),
            "--tls-key-file",
            &self.file("key.pem"),
            "--tls-ca-cert-file",
            &self.file("authority.pem"),
            "--tls-auth-clients",
            "no",
        ])?;
        Some((redis, port))
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn nst_28_with_tls_an_authority_is_trusted_when_it_is_named_and_only_then() {
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
async fn nst_28_with_tls_the_name_has_to_be_right() {
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
        // A server that speaks no TLS, and a client that speaks none.
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
