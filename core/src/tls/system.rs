//! The variables that replace the system's certificate authorities.

use std::env;
use std::path::Path;

use super::ca_file;
use super::shown;

const FILE: &str = "SSL_CERT_FILE";
const FOLDERS: &str = "SSL_CERT_DIR";

/// Whether the variables replace the system's authorities; on other systems, the trust store of the system
/// is always used.
const ARE_READ: bool = cfg!(all(
    unix,
    not(target_os = "android"),
    not(target_vendor = "apple")
));

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
            .map_err(|cause| ca_file::unreadable(&cause).to_owned())
    })
}

/// The variable that is the cause if no certificates were found.
pub(super) fn variable_without_certificates() -> Option<String> {
    let misleading = misleads(|path| match ca_file::read_usable(path) {
        (certificates, Some(problem)) if certificates.is_empty() => Err(problem.to_string()),
        _ => Ok(()),
    });
    misleading.or_else(|| {
        let folders = env::var_os(FOLDERS).filter(|_| ARE_READ)?;
        let folders = shown(Path::new(&folders));
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
        let path = shown(Path::new(&file));
        return Some(format!("{FILE} names a file that {fact} path={path}"));
    }
    let folders = env::var_os(FOLDERS)?;
    env::split_paths(&folders)
        .filter(|folder| !folder.as_os_str().is_empty())
        .find_map(|folder| {
            let cause = std::fs::read_dir(&folder).err()?;
            let (fact, path) = (ca_file::unreadable(&cause), shown(&folder));
            Some(format!("{FOLDERS} names a folder that {fact} path={path}"))
        })
}
