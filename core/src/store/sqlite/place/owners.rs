//! Checks whether other users can write a file or a directory.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

const WRITABLE_BY_GROUP: u32 = 0o020;
const WRITABLE_BY_ALL: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// The effective user id of this process.
pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether the file belongs to the user of this process, or to root, who can do everything anyway.
pub(super) fn is_ours(metadata: &Metadata) -> bool {
    metadata.uid() == user() || metadata.uid() == 0
}

/// Whether files in a directory can only be removed or renamed by their owners.
pub(super) fn is_sticky(metadata: &Metadata) -> bool {
    metadata.mode() & STICKY != 0
}

/// Whether users other than the owner can write the file.
pub(super) fn others_may_write(path: &Path, metadata: &Metadata) -> bool {
    let mode = metadata.mode();
    mode & WRITABLE_BY_ALL != 0
        || mode & WRITABLE_BY_GROUP != 0 && !is_private_group(path, metadata.gid())
}

/// Whether a group has only one member. User private groups are common where the umask is 002.
#[cfg(target_os = "linux")]
fn is_private_group(path: &Path, group: u32) -> bool {
    use std::fs::read_to_string;

    // With an ACL, the bits of the group are the mask of all its entries.
    let mut list = [0_u8; 1];
    let list = rustix::fs::lgetxattr(path, "system.posix_acl_access", &mut list);
    if !matches!(
        list,
        Err(rustix::io::Errno::NODATA | rustix::io::Errno::OPNOTSUPP)
    ) {
        return false;
    }
    let (Ok(users), Ok(groups)) = (read_to_string("/etc/passwd"), read_to_string("/etc/group"))
    else {
        return false;
    };
    is_private(&users, &groups, user(), group).unwrap_or(false)
}

/// The user databases of other systems are not read.
#[cfg(not(target_os = "linux"))]
fn is_private_group(_: &Path, _: u32) -> bool {
    false
}

/// Whether a group has the name of a user, is the primary group of that user, and has no other members.
/// `None` if a database cannot be read, or continues elsewhere.
#[cfg(any(target_os = "linux", test))]
fn is_private(users: &str, groups: &str, user: u32, group: u32) -> Option<bool> {
    if group == 0 {
        // Containers run with any user id and this group.
        return Some(false);
    }
    let mut name = None;
    for line in lines(users) {
        let fields: Vec<_> = line.split(':').collect();
        let [login, _, number, first, ..] = fields.as_slice() else {
            return None;
        };
        let (number, first): (u32, u32) = (number.parse().ok()?, first.parse().ok()?);
        if first == group && number != user {
            return Some(false);
        }
        if first == group {
            name = Some(*login);
        }
    }
    let Some(name) = name else {
        return Some(false);
    };
    let mut exists = false;
    for line in lines(groups) {
        let fields: Vec<_> = line.split(':').collect();
        let [title, _, number, members] = fields.as_slice() else {
            return None;
        };
        if number.parse::<u32>().ok()? != group {
            continue;
        }
        exists = true;
        let mut members = members.split(',').filter(|member| !member.is_empty());
        if *title != name || members.any(|member| member != name) {
            return Some(false);
        }
    }
    Some(exists)
}

#[cfg(any(target_os = "linux", test))]
fn lines(list: &str) -> impl Iterator<Item = &str> {
    list.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\n\
        # a comment\n\
        alice:x:1000:1000::/home/alice:/bin/sh\n\
        bob:x:1001:100::/home/bob:/bin/sh\n";
    const GROUPS: &str = "root:x:0:\nusers:x:100:\nalice:x:1000:\nbob:x:1001:\n";

    #[test]
    fn a_group_is_private_to_the_user_whose_name_it_has() {
        assert_eq!(is_private(USERS, GROUPS, 1000, 1000), Some(true));
        let own_member = GROUPS.replace("alice:x:1000:", "alice:x:1000:alice");
        assert_eq!(is_private(USERS, &own_member, 1000, 1000), Some(true));
        for (user, group) in [(1001, 1000), (1001, 100), (1001, 1001), (1000, 5), (0, 0)] {
            assert_eq!(
                is_private(USERS, GROUPS, user, group),
                Some(false),
                "{user} {group}"
            );
        }
    }

    #[test]
    fn a_group_with_other_members_is_not_private() {
        let with_bob = GROUPS.replace("alice:x:1000:", "alice:x:1000:alice,bob");
        let other_name = GROUPS.replace("alice:x:1000:", "staff:x:1000:");
        let two_names = format!("{GROUPS}staff:x:1000:bob\n");
        let missing = GROUPS.replace("alice:x:1000:\n", "");
        for groups in [with_bob, other_name, two_names, missing] {
            assert_eq!(is_private(USERS, &groups, 1000, 1000), Some(false));
        }
        let users = format!("{USERS}carol:x:1002:1000::/:/bin/sh\n");
        assert_eq!(is_private(&users, GROUPS, 1000, 1000), Some(false));
    }

    #[test]
    fn no_group_is_private_if_there_may_be_users_in_other_databases() {
        for more in [
            "+::::::\n",
            "+@admins::::::\n",
            "broken\n",
            "x:x:-1:1000:::\n",
        ] {
            let users = format!("{USERS}{more}");
            assert_eq!(is_private(&users, GROUPS, 1000, 1000), None, "{more}");
        }
        let groups = format!("{GROUPS}+:::\n");
        assert_eq!(is_private(USERS, &groups, 1000, 1000), None);
    }
}
