//! Network file systems.

use std::path::Path;

use super::unusable;
use crate::error::{Code, Error, Result};

/// The types of network file systems in `statfs(2)` on Linux. FUSE and 9P are not listed, because they are
/// often local.
const KINDS: [(u32, &str); 9] = [
    (0x6969, "nfs"),
    (0x517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x5346_414f, "afs"),
    (0x7375_7245, "coda"),
    (0x00c3_6400, "ceph"),
    (0x0bd0_0bd0, "lustre"),
    (0x4750_4653, "gpfs"),
];

/// Checks that a directory is on this machine: the write-ahead log needs shared memory between all processes
/// that use the file.
///
/// # Errors
/// [`Code::InvalidOption`].
pub(super) fn check(directory: &Path) -> Result<()> {
    let system = rustix::fs::statfs(directory).map_err(|errno| unusable(errno.into()))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the numbers have 32 bits, and the type is another one on each architecture"
    )]
    match name(system.f_type as u32) {
        None => Ok(()),
        Some(name) => Err(Error::new(
            Code::InvalidOption,
            format_args!(
                "the store's directory is on a network file system, which SQLite cannot share between \
                 machines; use a directory of this machine, or Redis type={name}"
            ),
        )),
    }
}

fn name(kind: u32) -> Option<&'static str> {
    let mut kinds = KINDS.into_iter();
    kinds.find_map(|(number, name)| (number == kind).then_some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_told_from_those_of_this_machine() {
        assert_eq!(name(0x6969), Some("nfs"));
        assert_eq!(name(0xff53_4d42), Some("cifs"));
        // ext4, tmpfs, overlayfs, btrfs, xfs, FUSE.
        for kind in [
            0xef53,
            0x0102_1994,
            0x794c_7630,
            0x9123_683e,
            0x5846_5342,
            0x6573_5546,
        ] {
            assert_eq!(name(kind), None, "{kind:x}");
        }
    }
}
