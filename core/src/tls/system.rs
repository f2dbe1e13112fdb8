//! The variables that replace the system's certificate authorities.

use std::env;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;

use super::ca_file;
use super::file::{contents, leads_to_pipe};
use super::problem::unreadable;
use crate::error::shown_path;

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// Variables of other programs, which are not read.
const OF_OTHERS: [&str; 2] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// Whether the variables replace the system's authorities; on other systems, the trust store of the system
/// is always used.
const ARE_READ: bool = cfg!(all(
    unix,
    not(target_os = "android"),
    not(target_vendor = "apple")
));

/// Whether the system has no certificate authorities, and no variable names others. It only looks for files, so
/// it takes microseconds.
pub(super) fn has_no_authorities() -> bool {
    ARE_READ && is_without(|name| env::var_os(name).is_some(), &places())
}

/// Where certificate authorities are on this system: a file, and folders.
#[cfg(all(unix, not(target_os = "android"), not(target_vendor = "apple")))]
fn places() -> (Option<PathBuf>, Vec<PathBuf>) {
    let found = openssl_probe::probe();
    (found.cert_file, found.cert_dir)
}

#[cfg(not(all(unix, not(target_os = "android"), not(target_vendor = "apple"))))]
fn places() -> (Option<PathBuf>, Vec<PathBuf>) {
    (None, Vec::new())
}

/// A container image without the package ca-certificates may have its empty folder.
pub(super) fn is_without(
    is_set: impl Fn(&str) -> bool,
    (file, folders): &(Option<PathBuf>, Vec<PathBuf>),
) -> bool {
    let is_empty = |folder: &PathBuf| {
        std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
    };
    !is_set(FILE) && !is_set(FOLDERS) && file.is_none() && folders.iter().all(is_empty)
}

/// The certificates of a file that begins with a byte order mark, in which the reader of the system finds none.
pub(super) fn certificates_after_a_mark() -> Vec<CertificateDer<'static>> {
    let file = env::var_os(FILE).filter(|_| ARE_READ);
    let bytes = file.and_then(|file| contents(Path::new(&file)).ok());
    match bytes {
        Some(bytes) if bytes.starts_with(ca_file::BYTE_ORDER_MARK) => ca_file::parse(&bytes).0,
        _ => Vec::new(),
    }
}

/// The variable that names a pipe. Each set-up of TLS reads the file again, and a pipe without a writer would never end.
pub(super) fn variable_with_a_pipe() -> Option<String> {
    let file = env::var_os(FILE).filter(|_| ARE_READ)?;
    leads_to_pipe(Path::new(&file)).then(|| {
        let path = shown_path(Path::new(&file));
        format!("{FILE} names a pipe, which can be read only once; name a file path={path}")
    })
}

/// The variable whose file cannot be opened, and the reason.
pub(super) fn variable_that_misleads() -> Option<String> {
    misleads(|path| {
        std::fs::File::open(path)
            .and_then(|file| {
                // A directory can be opened, but not read.
                if file.metadata()?.is_dir() {
                    return Err(std::io::ErrorKind::IsADirectory.into());
                }
                Ok(())
            })
            .map_err(|cause| unreadable(&cause).to_owned())
    })
}

/// A variable of other programs, which the operator may expect to be read.
pub(super) fn variable_of_others() -> Option<String> {
    let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let name = OF_OTHERS.into_iter().find(is_set)?;
    Some(format!("{name} is set, but is not read here"))
}

/// The variable that is the cause if no certificates were found.
pub(super) fn variable_without_certificates() -> Option<String> {
    let misleading = misleads(|path| match ca_file::read_usable(path) {
        (certificates, Some(problem)) if certificates.is_empty() => Err(problem.to_string()),
        _ => Ok(()),
    });
    misleading.or_else(|| {
        let folders = env::var_os(FOLDERS).filter(|_| ARE_READ)?;
        let folders = shown_path(Path::new(&folders));
        Some(format!(
            "{FOLDERS} names a folder without certificates path={folders}"
        ))
    })
}

fn misleads(check: impl Fn(&Path) -> Result<(), String>) -> Option<String> {
    if !ARE_READ {
        return None;
    }
    if let Some(file) = env::var_os(FILE)
        && let Err(fact) = check(Path::new(&file))
    {
        if file.is_empty() {
            return Some(format!("{FILE} is set and empty; unset it"));
        }
        let path = shown_path(Path::new(&file));
        return Some(format!("{FILE} names a file that {fact} path={path}"));
    }
    let folders = env::var_os(FOLDERS)?;
    env::split_paths(&folders)
        .filter(|folder| !folder.as_os_str().is_empty())
        .find_map(|folder| {
            let cause = std::fs::read_dir(&folder).err()?;
            let (fact, path) = (unreadable(&cause), shown_path(&folder));
            Some(format!("{FOLDERS} names a folder that {fact} path={path}"))
        })
}
