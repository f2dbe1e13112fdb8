//! Certificates that the transport trusts.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;

use super::*;

/// A new certificate authority in a file, which no client trusts by default.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) file: PathBuf,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let process = std::process::id();
        let file = std::env::temp_dir().join(format!("portier-client-{process}-{name}.pem"));
        std::fs::write(&file, certificate.pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            file,
        }
    }

    /// A server with a certificate for `host` that is valid in these years.
    pub(super) async fn server(&self, host: &str, years: (i32, i32), script: Vec<Act>) -> Server {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        serve_with(&certificate, &key, script).await
    }

    /// A transport that trusts this authority.
    fn transport(&self) -> HttpTransport {
        secure(Some(&self.file))
    }
}

async fn serve_with(certificate: &Certificate, key: &KeyPair, script: Vec<Act>) -> Server {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    Server::start_with(script, Some(Arc::new(config).into())).await
}

/// A server with the certificate that `openssl req -x509` makes, and a client that lists it.
async fn self_signed(
    name: &str,
    hosts: &[&str],
    years: (i32, i32),
    is_ca: IsCa,
) -> (Server, Result<Response>) {
    let key = KeyPair::generate().unwrap();
    let hosts: Vec<String> = hosts.iter().copied().map(str::to_owned).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    params.is_ca = is_ca;
    let certificate = params.self_signed(&key).unwrap();
    let process = std::process::id();
    let file = std::env::temp_dir().join(format!("portier-client-{process}-{name}.pem"));
    std::fs::write(&file, certificate.pem()).unwrap();
    let transport = secure(Some(&file));
    std::fs::remove_file(&file).unwrap();
    let server = serve_with(&certificate, &key, document()).await;
    let result = get(&transport, &server.url()).await;
    (server, result)
}

fn authority() -> IsCa {
    IsCa::Ca(BasicConstraints::Unconstrained)
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_when_it_is_listed() {
    for is_ca in [authority(), IsCa::NoCa, IsCa::ExplicitNoCa] {
        let (_, result) = self_signed("self", &["127.0.0.1"], VALID, is_ca).await;
        assert_eq!(result.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_listed_certificate_has_to_be_valid_for_the_name_and_the_time() {
    for (hosts, years) in [
        (&["other.example"][..], VALID),
        (&["127.0.0.2"], VALID),
        (&[], VALID),
        (&["127.0.0.1"], (2001, 2002)),
        (&["127.0.0.1"], (4000, 4001)),
    ] {
        for is_ca in [authority(), IsCa::NoCa] {
            let (server, result) = self_signed("invalid", hosts, years, is_ca).await;
            assert_eq!(
                code(&result),
                Code::BrokerUnreachable,
                "{hosts:?} {years:?}"
            );
            assert!(server.requests().is_empty());
            let error = whole(&result.unwrap_err());
            assert_eq!(
                error.contains("subjectAltName=DNS"),
                hosts.is_empty(),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_certificate_of_the_server_is_trusted_when_it_is_listed_without_its_authority() {
    let authority = Authority::new("unlisted");
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, "a server");
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    std::fs::write(&authority.file, certificate.pem()).unwrap();
    let server = serve_with(&certificate, &key, document()).await;
    let response = get(&authority.transport(), &server.url()).await;
    assert_eq!(response.unwrap().status, 200);
    // Another certificate of the same authority is not trusted.
    let other = authority.server("127.0.0.1", VALID, document()).await;
    let result = get(&authority.transport(), &other.url()).await;
    assert_eq!(code(&result), Code::BrokerUnreachable);
}

#[tokio::test]
async fn the_error_for_a_refused_certificate_says_what_to_do() {
    let key = KeyPair::generate().unwrap();
    for (is_ca, advice) in [
        (authority(), "list this very certificate in ca_file"),
        (IsCa::NoCa, "if that is your own, list it in ca_file"),
    ] {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.is_ca = is_ca;
        let certificate = params.self_signed(&key).unwrap();
        let server = serve_with(&certificate, &key, document()).await;
        let error = get(&secure(None), &server.url()).await.unwrap_err();
        let fact = "the broker's certificate is refused host=127.0.0.1";
        assert_eq!(error.to_string(), fact);
        let error = whole(&error);
        assert!(error.contains(advice), "{error}");
    }
}

#[test]
fn errors_of_a_ca_file_name_its_path() {
    let error = Listed::of_option(Some(Path::new("/nowhere/ca.pem\n")));
    let error = error.unwrap_err();
    assert_eq!(error.code(), Code::InvalidOption);
    assert_eq!(
        error.to_string(),
        "ca_file does not exist path=/nowhere/ca.pem\\n"
    );
}

impl Drop for Authority {
    fn drop(&mut self) {
        std::fs::remove_file(&self.file).unwrap();
    }
}

fn secure(ca_file: Option<&Path>) -> HttpTransport {
    let options = options("https://127.0.0.1");
    let listed = Listed::of_option(ca_file).unwrap();
    HttpTransport::new(HttpOptions { listed, ..options }).unwrap()
}

pub(super) const VALID: (i32, i32) = (2001, 4001);

pub(super) fn document() -> Vec<Act> {
    vec![Act::Say(answer(200, "", "{}"))]
}

#[tokio::test]
async fn an_authority_is_trusted_only_if_it_is_configured() {
    let authority = Authority::new("named");
    let server = authority.server("127.0.0.1", VALID, document()).await;
    let response = get(&authority.transport(), &server.url()).await.unwrap();
    assert_eq!(&response.body[..], b"{}");
    let other = Authority::new("other");
    for stranger in [secure(None), other.transport()] {
        let result = get(&stranger, &server.url()).await;
        assert_eq!(code(&result), Code::BrokerUnreachable);
        let error = whole(&result.unwrap_err());
        assert!(error.contains("certificate"), "{error}");
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_certificate_for_another_name_or_time_is_refused() {
    let authority = Authority::new("wrong");
    for (host, years) in [
        ("other.example", VALID),
        ("127.0.0.2", VALID),
        ("127.0.0.1", (2001, 2002)),
        ("127.0.0.1", (4000, 4001)),
    ] {
        let server = authority.server(host, years, document()).await;
        let result = get(&authority.transport(), &server.url()).await;
        assert_eq!(code(&result), Code::BrokerUnreachable, "{host} {years:?}");
        assert!(server.requests().is_empty());
    }
}

#[tokio::test]
async fn after_a_redirect_the_certificate_must_match_the_new_name() {
    let authority = Authority::new("redirected");
    let other = authority.server("other.example", VALID, document()).await;
    let location = format!("location: {}\r\n", other.url());
    let script = vec![Act::Say(answer(302, &location, ""))];
    let server = authority.server("127.0.0.1", VALID, script).await;
    let result = get(&authority.transport(), &server.url()).await;
    assert_eq!(code(&result), Code::BrokerUnreachable);
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn https_is_not_redirected_to_http() {
    let authority = Authority::new("downgraded");
    let plain = Server::start(document()).await;
    let location = format!("location: {}\r\n", plain.url());
    let script = vec![Act::Say(answer(302, &location, ""))];
    let server = authority.server("127.0.0.1", VALID, script).await;
    let result = get(&authority.transport(), &server.url()).await;
    assert_eq!(code(&result), Code::BrokerDocument);
    assert_eq!((server.requests().len(), plain.requests().len()), (1, 0));
}

#[tokio::test]
async fn a_body_without_a_length_ends_only_with_the_tls_connection() {
    // The connection is closed without `close_notify`, as an attacker on the network could do.
    let authority = Authority::new("cut");
    let said = "HTTP/1.1 200 OK\r\n\r\n{\"keys\":[]}".to_owned();
    let server = authority
        .server("127.0.0.1", VALID, vec![Act::Cut(said)])
        .await;
    let result = get(&authority.transport(), &server.url()).await;
    assert_eq!(code(&result), Code::BrokerDocument);
}
