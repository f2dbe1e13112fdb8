//! Network file systems.

use std::fs::{metadata, read_to_string};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{major, minor, statfs};

use super::unusable;
use crate::error::{Code, Error, Result, shown_path};

/// The types of network file systems in `statfs(2)` on Linux. 9P is not listed, because it is often local.
const KINDS: [(u32, &str); 13] = [
    (0x6969, "nfs"),
    (0x517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "kafs"),
    (0x7375_7245, "coda"),
    (0x00c3_6400, "ceph"),
    (0x0bd0_0bd0, "lustre"),
    (0x4750_4653, "gpfs"),
    (0x1983_0326, "beegfs"),
    (0x7461_636f, "ocfs2"),
    (0x0116_1970, "gfs2"),
];

/// FUSE in `statfs(2)`. Whether it is a network is told by the name of its program.
const FUSE: u32 = 0x6573_5546;

const FUSE_PROGRAMS: [&str; 15] = [
    "sshfs",
    "glusterfs",
    "ceph-fuse",
    "juicefs",
    "seaweedfs",
    "mfs",
    "rclone",
    "s3fs",
    "goofys",
    "geesefs",
    "mountpoint-s3",
    "gcsfuse",
    "blobfuse",
    "blobfuse2",
    "curlftpfs",
];

/// Checks that a directory is on this machine: the write-ahead log needs shared memory between all processes
/// that use the file.
///
/// # Errors
/// [`Code::InvalidOption`].
pub(super) fn check(directory: &Path) -> Result<()> {
    let system = statfs(directory).map_err(|errno| unusable(errno.into(), directory))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the numbers have 32 bits, and the type is another one on each architecture"
    )]
    let name = match system.f_type as u32 {
        FUSE => program_of(directory),
        kind => name(kind),
    };
    match name {
        None => Ok(()),
        Some(name) => Err(Error::new(
            Code::InvalidOption,
            format_args!(
                "the store's directory is on a network file system, which SQLite cannot share between \
                 machines; use a directory of this machine, or Redis type={name} directory={}",
                shown_path(directory)
            ),
        )),
    }
}

/// The program of a FUSE file system, if it is one for networks. If the list of mounts cannot be read, it counts as
/// local.
fn program_of(directory: &Path) -> Option<&'static str> {
    let device = metadata(directory).ok()?.dev();
    let mounts = read_to_string("/proc/self/mountinfo").ok()?;
    fuse_program(&mounts, &format!("{}:{}", major(device), minor(device)))
}

/// Finds the program in lines such as `36 35 0:42 / /data rw - fuse.sshfs host:/data rw`: as the subtype, or, if a
/// mount has none, as its source.
fn fuse_program(mounts: &str, device: &str) -> Option<&'static str> {
    let mount = mounts
        .lines()
        .find(|line| line.split(' ').nth(2) == Some(device))?;
    let (_, system) = mount.split_once(" - ")?;
    let mut words = system.split(' ');
    let (kind, source) = (words.next()?, words.next().unwrap_or_default());
    let mut programs = FUSE_PROGRAMS.into_iter();
    let subtype = kind.strip_prefix("fuse.").unwrap_or(source);
    programs.find(|program| *program == subtype)
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
        // ext4, tmpfs, overlayfs, btrfs, xfs.
        for kind in [0xef53, 0x0102_1994, 0x794c_7630, 0x9123_683e, 0x5846_5342] {
            assert_eq!(name(kind), None, "{kind:x}");
        }
    }

    #[test]
    fn programs_of_fuse_are_told_apart() {
        let mounts = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
            36 22 0:42 / /data rw,relatime shared:7 - fuse.sshfs host:/data rw,user_id=0\n\
            37 22 0:43 / /gluster rw - fuse.glusterfs server:/volume rw\n\
            38 22 0:44 / /bucket rw - fuse mountpoint-s3 rw\n\
            39 22 0:45 / /mnt/c rw - fuse.grpcfuse grpcfuse rw\n\
            40 22 0:46 / /own rw - fuseblk /dev/sdb1 rw\n\
            41 22 0:48 / /odd\n";
        for (device, program) in [
            ("0:42", Some("sshfs")),
            ("0:43", Some("glusterfs")),
            ("0:44", Some("mountpoint-s3")),
            ("0:45", None),
            ("0:46", None),
            ("0:48", None),
            ("0:4", None),
            ("254:0", None),
        ] {
            assert_eq!(fuse_program(mounts, device), program, "{device}");
        }
    }
}
