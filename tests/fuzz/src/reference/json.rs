//! Reads JSON into a tree with `jiter`, which shares no code with the client's parser.

use jiter::{Jiter, Peek};

/// The limits of the client.
const MAX_DEPTH: usize = 16;
const MAX_NUMBER_BYTES: usize = 1024;
const MAX_MEMBERS: usize = 256;

#[derive(Debug, PartialEq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Self>),
    Members(Vec<(String, Self)>),
}

/// Reads a whole document (RFC 8259).
pub(crate) fn read(bytes: &[u8]) -> Option<Tree> {
    let mut reader = Jiter::new(bytes);
    let tree = value(&mut reader, 1)?;
    reader.finish().ok().map(|()| tree)
}

fn value(reader: &mut Jiter<'_>, depth: usize) -> Option<Tree> {
    let peek = reader.peek().ok()?;
    if matches!(peek, Peek::Array | Peek::Object) && depth > MAX_DEPTH {
        return None;
    }
    Some(match peek {
        Peek::Null => reader.known_null().map(|()| Tree::Null).ok()?,
        Peek::True | Peek::False => Tree::Bool(reader.known_bool(peek).ok()?),
        Peek::String => Tree::Text(reader.known_str().ok()?.to_owned()),
        Peek::Array => {
            let mut elements = Vec::new();
            let mut next = reader.known_array().ok()?;
            while next.is_some() {
                elements.push(value(reader, depth + 1)?);
                next = reader.array_step().ok()?;
            }
            Tree::List(elements)
        }
        Peek::Object => {
            let mut members = Vec::new();
            let mut next = reader.known_object().ok()?.map(str::to_owned);
            while let Some(name) = next {
                members.push((name, value(reader, depth + 1)?));
                next = reader.next_key().ok()?.map(str::to_owned);
            }
            Tree::Members(members)
        }
        _ => {
            let number = reader.known_number_bytes(peek).ok()?;
            let number = str::from_utf8(number).ok()?;
            (number.len() <= MAX_NUMBER_BYTES).then(|| Tree::Number(number.to_owned()))?
        }
    })
}

impl Tree {
    /// The members, if this is an object that has no name twice, and not too many.
    pub(crate) fn members(&self) -> Option<Object<'_>> {
        let Self::Members(members) = self else {
            return None;
        };
        let names: std::collections::HashSet<_> = members.iter().map(|(name, _)| name).collect();
        (names.len() == members.len() && names.len() <= MAX_MEMBERS).then_some(Object(members))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The texts of a list that has nothing else.
    pub(crate) fn texts(&self) -> Option<Vec<&str>> {
        match self {
            Self::List(elements) => elements.iter().map(Self::text).collect(),
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Object<'a>(&'a [(String, Tree)]);

impl<'a> Object<'a> {
    pub(crate) fn get(self, name: &str) -> Option<&'a Tree> {
        let member = self.0.iter().find(|(candidate, _)| candidate == name)?;
        Some(&member.1)
    }

    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.text()
    }

    /// The texts of all members.
    pub(crate) fn all_texts(self) -> Vec<&'a str> {
        self.0
            .iter()
            .filter_map(|(_, value)| value.text())
            .collect()
    }
}
