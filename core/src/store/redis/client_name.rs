//! The name of this process in the server's list of clients.

use std::process;
use std::sync::OnceLock;

use redis::Cmd;

use crate::clock::{Random, SystemRandom};

const PREFIX: &str = "portier-client:";

/// The command that gives a connection the name. Nothing depends on it.
pub(super) fn set_name() -> Cmd {
    redis::cmd("CLIENT").arg("SETNAME").arg(own()).clone()
}

/// How many processes other than this one have a connection to a database, by the reply to `CLIENT LIST`.
pub(super) fn others_in(list: &str, database: u32) -> usize {
    count(list, database, &own())
}

fn count(list: &str, database: u32, own: &str) -> usize {
    let database = database.to_string();
    let mut names: Vec<&str> = list
        .lines()
        .filter(|line| value(line, "db") == Some(&database))
        .filter_map(|line| value(line, "name"))
        .filter(|name| name.starts_with(PREFIX) && *name != own)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(known, value)| (known == name).then_some(value))
}

/// The process id tells forks apart, and the random number the containers, in which process ids are the same.
fn own() -> String {
    static NUMBER: OnceLock<u32> = OnceLock::new();
    let number = NUMBER.get_or_init(|| {
        let mut bytes = [0; 4];
        // Without randomness, no login starts anyway.
        let _ = SystemRandom.fill(&mut bytes);
        u32::from_ne_bytes(bytes)
    });
    format!("{PREFIX}{}-{number:08x}", process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_other_process_of_a_database_is_counted_once() {
        let list = "id=1 addr=127.0.0.1:1 name=portier-client:7-00000001 age=3 db=0 sub=0\n\
            id=2 addr=127.0.0.1:2 name=portier-client:7-00000001 age=3 db=0 sub=0\n\
            id=3 addr=127.0.0.1:3 name=portier-client:7-00000002 age=3 db=0 sub=0\n\
            id=4 addr=127.0.0.1:4 name=portier-client:8-00000001 age=3 db=1 sub=0\n\
            id=5 addr=127.0.0.1:5 name=portier-client:9-00000001 age=3 db=0 sub=0\n\
            id=6 addr=127.0.0.1:6 name=shop age=3 db=0 sub=0\n\
            id=7 addr=127.0.0.1:7 name= age=3 db=0 sub=0\n";
        assert_eq!(count(list, 0, "portier-client:9-00000001"), 2);
        assert_eq!(count(list, 1, "portier-client:9-00000001"), 1);
        assert_eq!(count("", 0, "portier-client:9-00000001"), 0);
    }

    #[test]
    fn the_name_of_a_process_stays() {
        assert_eq!(own(), own());
        assert!(own().bytes().all(|byte| byte.is_ascii_graphic()));
    }
}
