//! Certificates that are refused.

use std::path::PathBuf;

use portier_client::doctor::{FindingId, Level, examine};
use portier_client::testing::{Authority, Certificate, FaultServer};

use crate::site;

const SECRET: &str = "k323rIsBfmDUBBoSKXMYBsVFd-XhK7gO9J36YvxYcZs";

/// A file that is removed in the end.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: &str) -> Self {
        let name = format!("portier-doctor-{}-{name}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A pipe with a name, to which a text is written once.
#[cfg(unix)]
struct Pipe(PathBuf);

#[cfg(unix)]
impl Pipe {
    fn with(text: &str) -> Self {
        let name = format!("portier-doctor-{}-pipe", std::process::id());
        let path = std::env::temp_dir().join(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let (writer, text) = (path.clone(), text.to_owned());
        // Opening waits for the reader.
        std::thread::spawn(move || std::fs::write(writer, text));
        Self(path)
    }
}

#[cfg(unix)]
impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The error about a broker with a certificate, for a site that trusts a file. No request gets an answer.
async fn found(certificate: &Certificate, trusted: &File) -> (FindingId, String) {
    let broker = FaultServer::start_tls(certificate).await.unwrap();
    let mut options = site(broker.origin());
    options.ca_file = Some(trusted.0.clone());
    let findings = examine(options).await.findings;
    let is_of_broker = |id: FindingId| id.as_str().starts_with("broker");
    let mut errors = findings
        .into_iter()
        .filter(|finding| finding.id.level() == Level::Error && is_of_broker(finding.id));
    let error = errors.next().unwrap();
    assert!(errors.next().is_none());
    (error.id, error.text)
}

#[tokio::test]
async fn certificates_that_are_refused_for_different_reasons_are_told_apart() {
    let (ours, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let trusted = File::new("ours", ours.pem());
    let valid = ours.certificate("127.0.0.1").unwrap();
    let unknown = other.certificate("127.0.0.1").unwrap();
    let expired = ours.certificate_between("127.0.0.1", (2001, 2002)).unwrap();
    let early = ours.certificate_between("127.0.0.1", (3001, 3002)).unwrap();
    let named = ours.certificate("other.example").unwrap();
    for (certificate, expected, says) in [
        (valid, FindingId::BrokerFailed, ""),
        (
            unknown,
            FindingId::BrokerCertificate,
            "certificate is refused",
        ),
        (expired, FindingId::BrokerCertificateExpired, "expired"),
        (early, FindingId::BrokerCertificateExpired, "not valid yet"),
        (
            named,
            FindingId::BrokerCertificateName,
            "not valid for name",
        ),
    ] {
        let (id, text) = found(&certificate, &trusted).await;
        assert_eq!(id, expected, "{text}");
        assert!(text.contains(says), "{text}");
    }
}

#[tokio::test]
async fn a_certificate_of_an_authority_in_ca_file_is_healthy() {
    let authority = Authority::new().unwrap();
    let trusted = File::new("healthy", authority.pem());
    let certificate = authority.certificate("127.0.0.1").unwrap();
    let server = FaultServer::start_tls(&certificate).await.unwrap();
    let mut options = site(server.origin());
    options.ca_file = Some(trusted.0.clone());
    let report = examine(options).await;
    assert!(report.has(FindingId::Tls) && !report.has(FindingId::BrokerCertificate));
}

#[cfg(unix)]
#[tokio::test]
async fn authorities_that_come_through_a_pipe_are_read_once() {
    let authority = Authority::new().unwrap();
    let pipe = Pipe::with(authority.pem());
    let certificate = authority.certificate("127.0.0.1").unwrap();
    let server = FaultServer::start_tls(&certificate).await.unwrap();
    let mut options = site(server.origin());
    options.ca_file = Some(pipe.0.clone());
    options.secret = Some(SECRET.to_owned());
    options.login_page = Some(format!("{}/login", server.origin()));
    let report = examine(options).await;
    assert!(report.has(FindingId::Tls) && !report.has(FindingId::BrokerCertificate));
    assert!(!report.has(FindingId::SecretInvalid));
    for finding in report.findings {
        assert!(!finding.text.contains("ca_file is"), "{}", finding.text);
    }
}
