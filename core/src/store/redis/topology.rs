//! Which node of a cluster serves which keys.

use std::sync::atomic::{AtomicBool, Ordering};

use redis::Value;

use super::connection::Address;
use super::errors::ServerError;
use super::reusable::Usable;
use super::server_info::text;

const SLOTS: u16 = 16384;

/// The topology that a node reported, until it is known to be outdated.
pub(super) struct Topology {
    ranges: Vec<Range>,
    outdated: AtomicBool,
}

struct Range {
    first: u16,
    last: u16,
    primary: Address,
}

impl Topology {
    /// Parses the reply to `CLUSTER SLOTS`; `asked` replaces a host that the node omits.
    pub(super) fn read(reply: &Value, asked: &Address) -> Option<Self> {
        let Value::Array(entries) = reply else {
            return None;
        };
        let ranges = entries.iter().filter_map(|entry| Range::read(entry, asked));
        Some(Self {
            ranges: ranges.collect(),
            outdated: AtomicBool::new(false),
        })
    }

    /// The primary of a slot.
    pub(super) fn owner(&self, slot: u16) -> Option<&Address> {
        let range = self
            .ranges
            .iter()
            .find(|range| (range.first..=range.last).contains(&slot));
        range.map(|range| &range.primary)
    }

    pub(super) fn names(&self, address: &Address) -> bool {
        self.ranges.iter().any(|range| range.primary == *address)
    }

    /// Marks the topology as outdated, so that it is fetched before the next command.
    pub(super) fn outdate(&self) {
        self.outdated.store(true, Ordering::Relaxed);
    }
}

impl Usable for Topology {
    fn is_usable(&self) -> bool {
        !self.outdated.load(Ordering::Relaxed)
    }
}

impl Range {
    fn read(entry: &Value, asked: &Address) -> Option<Self> {
        let Value::Array(items) = entry else {
            return None;
        };
        let [
            Value::Int(first),
            Value::Int(last),
            Value::Array(primary),
            ..,
        ] = &items[..]
        else {
            return None;
        };
        let [host, Value::Int(port), ..] = &primary[..] else {
            return None;
        };
        let host = match host {
            Value::Nil => "",
            host => text(host)?,
        };
        Some(Self {
            first: u16::try_from(*first).ok()?,
            last: u16::try_from(*last).ok()?,
            primary: reachable(host, u16::try_from(*port).ok()?, asked)?,
        })
    }
}

/// A redirection to another node.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Redirection {
    /// The slot has moved.
    Moved(Address),
    /// The slot is being moved, and the key may be on the other node.
    Ask(Address),
}

impl Redirection {
    /// Parses `MOVED 3999 host:port` and `ASK 3999 host:port`.
    pub(super) fn read(error: &ServerError, asked: &Address) -> Option<Self> {
        let make = match error.code() {
            "MOVED" => Self::Moved,
            "ASK" => Self::Ask,
            _ => return None,
        };
        let (_, address) = error.detail()?.split_once(' ')?;
        let (host, port) = address.rsplit_once(':')?;
        reachable(host, port.parse().ok()?, asked).map(make)
    }
}

/// A node that does not know its own name omits it; it is the node that was asked.
fn reachable(host: &str, port: u16, asked: &Address) -> Option<Address> {
    match (host, asked) {
        ("?", _) | ("", Address::Unix(_)) => None,
        ("", Address::Tcp(host, _)) => Some(Address::Tcp(host.clone(), port)),
        (host, _) => Some(Address::Tcp(host.to_owned(), port)),
    }
}

/// The slot of a key: CRC-16/XMODEM of the key, or of what is between its first braces.
pub(super) fn slot(key: &str) -> u16 {
    let tag = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(tag, _)| tag)
        .filter(|tag| !tag.is_empty());
    let mut sum: u16 = 0;
    for byte in tag.unwrap_or(key).bytes() {
        sum ^= u16::from(byte) << 8;
        for _ in 0..8 {
            let carry = sum & 0x8000 != 0;
            sum <<= 1;
            if carry {
                sum ^= 0x1021;
            }
        }
    }
    sum % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp(host.to_owned(), port)
    }

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn entry(first: i64, last: i64, host: Value, port: i64) -> Value {
        let node = Value::Array(vec![
            host,
            Value::Int(port),
            bulk("id"),
            Value::Array(vec![]),
        ]);
        Value::Array(vec![
            Value::Int(first),
            Value::Int(last),
            node.clone(),
            node,
        ])
    }

    /// The check value of CRC-16/XMODEM, and the examples of the cluster specification.
    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(slot("123456789"), 0x31C3);
        assert_eq!(slot("{user1000}.following"), slot("{user1000}.followers"));
        assert_eq!(slot("foo{{bar}}zap"), slot("{bar"));
        assert_eq!(slot("foo{bar}{zap}"), slot("bar"));
        assert_ne!(slot("foo{}{bar}"), slot("bar"));
        assert_eq!(slot(""), 0);
    }

    #[test]
    fn a_topology_is_read() {
        let asked = tcp("seed", 1);
        let reply = Value::Array(vec![
            entry(0, 5460, bulk("a"), 7000),
            entry(5461, 10922, bulk(""), 7001),
            entry(10923, 16382, Value::Nil, 7002),
            entry(16383, 16383, bulk("?"), 7003),
            Value::Nil,
            entry(-1, 70000, bulk("b"), 7004),
        ]);
        let topology = Topology::read(&reply, &asked).unwrap();
        assert!(topology.owner(0) == Some(&tcp("a", 7000)));
        assert!(topology.owner(5461) == Some(&tcp("seed", 7001)));
        assert!(topology.owner(16382) == Some(&tcp("seed", 7002)));
        assert!(topology.owner(16383).is_none());
        assert!(topology.names(&tcp("a", 7000)) && !topology.names(&tcp("b", 7004)));
        assert!(Topology::read(&Value::Okay, &asked).is_none());
        assert!(topology.is_usable());
        topology.outdate();
        assert!(!topology.is_usable());
    }
}
