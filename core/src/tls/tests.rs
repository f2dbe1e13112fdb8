use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair};

use super::*;

/// A file that is gone in the end.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let process = std::process::id();
        let file = std::env::temp_dir().join(format!("portier-client-tls-{process}-{name}"));
        std::fs::write(&file, content).unwrap();
        Self(file)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

struct Made {
    certificate: String,
    der: Vec<u8>,
    key: String,
    request: String,
}

fn made() -> Made {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Made {
        certificate: certificate.pem(),
        der: certificate.der().to_vec(),
        key: key.serialize_pem(),
        request: params.serialize_request(&key).unwrap().pem().unwrap(),
    }
}

/// How many certificates a file has, or what is wrong with it.
fn read(name: &str, content: impl AsRef<[u8]>) -> Result<usize, String> {
    let file = File::new(name, content);
    match ca_file::read_usable(&file.0) {
        (certificates, None) => Ok(certificates.len()),
        (_, Some(problem)) => Err(problem.to_string()),
    }
}

#[test]
fn certificates_are_found_however_the_file_is_laid_out() {
    let Made {
        certificate, key, ..
    } = made();
    let unix = certificate.replace("\r\n", "\n");
    for (name, content, count) in [
        ("one", certificate.clone(), 1),
        ("two", format!("{certificate}{certificate}"), 2),
        ("unix", unix.clone(), 1),
        ("windows", unix.replace('\n', "\r\n"), 1),
        ("unended", unix.trim_end().to_owned(), 1),
        ("mark", format!("\u{feff}{certificate}"), 1),
        (
            "commented",
            format!("# ours\n\n{certificate}\nCN=other\n{certificate}# end\n"),
            2,
        ),
        ("combined", format!("{key}{certificate}"), 1),
        ("spaces", unix.replace("-----\n", "----- \n"), 1),
    ] {
        assert_eq!(read(name, content), Ok(count), "{name}");
    }
}

#[test]
fn a_ca_file_of_another_kind_is_named_as_such() {
    let Made {
        certificate,
        der,
        key,
        request,
    } = made();
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(certificate.bytes().flat_map(|byte| [byte, 0]))
        .collect();
    let damaged = certificate.replace("MII", "???");
    let other = certificate.replace("CERTIFICATE", "TRUSTED CERTIFICATE");
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (name, content, fact) in [
        ("empty", Vec::new(), "is empty"),
        ("blank", b" \r\n\n".to_vec(), "is empty"),
        (
            "text",
            b"no certificate".to_vec(),
            "has no PEM certificates",
        ),
        ("der", der, "is in DER form"),
        ("utf16", utf16, "is UTF-16"),
        (
            "key",
            key.into_bytes(),
            "has a private key and no certificate",
        ),
        ("request", request.into_bytes(), "has a certificate request"),
        (
            "trusted",
            other.into_bytes(),
            "in the form of OpenSSL alone",
        ),
        ("damaged", damaged.into_bytes(), "cannot be read number=1"),
        (
            "second",
            format!("{certificate}{no_certificate}").into_bytes(),
            "has a certificate that cannot be read number=2",
        ),
        (
            "cut",
            certificate.as_bytes()[..200].to_vec(),
            "has a certificate that cannot be read number=1",
        ),
    ] {
        let problem = read(name, content).expect_err(name);
        assert!(problem.contains(fact), "{name}: {problem}");
    }
    for (path, fact) in [
        (std::env::temp_dir(), "is a folder, not a file"),
        (PathBuf::from("/nowhere/ca.pem"), "does not exist"),
        (PathBuf::new(), "does not exist"),
    ] {
        let problem = Listed::read(Some(&path)).unwrap_err();
        assert_eq!(problem.to_string(), fact);
    }
}

#[test]
fn usable_extra_certificates_are_trusted_despite_others_in_their_file() {
    let Made {
        certificate,
        der,
        key,
        ..
    } = made();
    let broken = certificate.replace("MII", "???");
    let file = File::new("extra", format!("{broken}{certificate}{key}"));
    let error = trust_extra_ca_file(&file.0).unwrap_err();
    assert_eq!(error.code(), Code::InvalidOption);
    let message = error.to_string();
    assert!(
        message.contains("cannot be read number=1 path="),
        "{message}"
    );
    let listed = Listed::read(None).unwrap();
    assert!(listed.0.contains(&CertificateDer::from(der)));

    let error = trust_extra_ca_file("/nowhere/extra.pem").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file of extra certificate authorities does not exist path=/nowhere/extra.pem"
    );
}

#[test]
fn a_system_without_a_file_and_with_empty_folders_has_no_authorities() {
    let folder = std::env::temp_dir().join(format!("portier-client-tls-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let certificates = folder.join("authority.pem");
    let folders = vec![folder.clone()];
    let is_without =
        |file, set: &str| system::is_without(|name| name == set, &(file, folders.clone()));
    assert!(is_without(None, ""));
    assert!(!is_without(None, "SSL_CERT_FILE"));
    assert!(!is_without(None, "SSL_CERT_DIR"));
    assert!(!is_without(Some(certificates.clone()), ""));
    std::fs::write(&certificates, "").unwrap();
    assert!(!is_without(None, ""));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(system::is_without(|_| false, &(None, Vec::new())));
}

#[test]
#[cfg(unix)]
fn a_file_without_an_end_is_not_read_into_memory() {
    let (_, problem) = ca_file::read_usable(Path::new("/dev/zero"));
    assert_eq!(problem.unwrap().to_string(), "is larger than 16 MiB");
}

#[cfg(unix)]
mod pipes {
    use std::fs::{File as OpenFile, OpenOptions};
    use std::io::Write as _;
    use std::thread;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    /// A pipe with a name, like `mkfifo`.
    fn pipe(name: &str) -> File {
        let process = std::process::id();
        let path = std::env::temp_dir().join(format!("portier-client-tls-{process}-{name}"));
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        File(path)
    }

    #[test]
    fn a_pipe_is_read_until_its_writer_ends() {
        let certificate = made().certificate;
        let pipe = pipe("written");
        let (path, text) = (pipe.0.clone(), certificate.clone());
        let writer = thread::spawn(move || {
            // Opening waits for the reader.
            let mut writer = OpenOptions::new().write(true).open(path).unwrap();
            let (first, rest) = text.split_at(text.len() / 2);
            writer.write_all(first.as_bytes()).unwrap();
            writer.write_all(rest.as_bytes()).unwrap();
        });
        assert_eq!(contents(&pipe.0).unwrap(), certificate.as_bytes());
        writer.join().unwrap();
    }

    #[test]
    fn a_pipe_without_an_end_is_not_read_for_ever() {
        let pipe = pipe("endless");
        let text = "is a pipe or a device that did not end within 5 s; name a file";
        let problem = file::contents_within(&pipe.0, 1).unwrap_err();
        assert_eq!(problem.to_string(), text);
        // Both ends, so that neither waits for the other.
        let both = OpenFile::options().read(true).write(true).open(&pipe.0);
        both.as_ref().unwrap().write_all(b"-----BEGIN").unwrap();
        let problem = file::contents_within(&pipe.0, 1).unwrap_err();
        assert_eq!(problem.to_string(), text);
    }
}
