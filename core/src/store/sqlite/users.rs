//! The processes that use the file of a store.

use std::path::Path;

/// How many other processes have a file open now, of those that this user may look at. `None` if the system does not
/// tell.
#[cfg(target_os = "linux")]
pub(super) fn other_processes(path: &Path) -> Option<usize> {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    let file = fs::metadata(path).ok()?;
    let name = path.file_name()?;
    // A file on a disk that does not answer must not be looked at, so the name comes first.
    let is_open = |descriptor: &Path| {
        fs::read_link(descriptor).is_ok_and(|target| target.file_name() == Some(name))
            && fs::metadata(descriptor)
                .is_ok_and(|found| (found.dev(), found.ino()) == (file.dev(), file.ino()))
    };
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let others = processes.filter(|entry| {
        let name = entry.file_name();
        let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
        name.to_str()
            .is_some_and(|name| name != own && is_number(name))
    });
    let with_file = others.filter(|process| {
        let files = fs::read_dir(process.path().join("fd"));
        files.is_ok_and(|files| files.flatten().any(|file| is_open(&file.path())))
    });
    Some(with_file.count())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn other_processes(_: &Path) -> Option<usize> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn processes_are_counted_while_they_have_the_file_open() {
        let name = format!("portier-users-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, "").unwrap();
        assert_eq!(other_processes(&path), Some(0));
        let start = || {
            let file = Stdio::from(File::open(&path).unwrap());
            Command::new("sleep").arg("60").stdin(file).spawn().unwrap()
        };
        let mut children = [start(), start()];
        assert_eq!(other_processes(&path), Some(2));
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert_eq!(other_processes(&path), Some(0));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(other_processes(&path), None);
    }
}
