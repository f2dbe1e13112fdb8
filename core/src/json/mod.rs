//! Strict reading of JSON objects from outside.
//!
//! `serde_json` checks the grammar and keeps the text of each value. This module also refuses repeated
//! names, lone surrogates anywhere, and everything that is too long or too deep. Numbers stay text, so
//! they do not depend on the features of `serde_json` that other crates turn on.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The maximum number of members of an object: more than any real document has, and few enough to
/// find repeated names by comparing all pairs.
const MAX_MEMBERS: usize = 256;

/// The maximum depth of arrays and objects; the outermost one counts.
const MAX_DEPTH: usize = 16;

/// The maximum length of a number. Meaningful numbers are shorter, and all parsers can read this length.
const MAX_NUMBER_BYTES: usize = 1024;

/// A JSON object: its members in their order, without repeated names.
pub(crate) struct Object<'a> {
    members: Vec<Member<'a>>,
    /// The bits of all names. Most look-ups are for absent members, and end here.
    bits: u64,
}

struct Member<'a> {
    /// The [`bit`] of the name, which takes less time to compare.
    bit: u64,
    name: Cow<'a, str>,
    value: Value<'a>,
}

/// A JSON value; numbers, arrays and objects as their text, which is known to be well-formed.
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    String(Cow<'a, str>),
    Array(&'a str),
    Object(&'a str),
}

/// Why a text was refused. The reasons are constant, and do not quote the text.
pub(crate) type Reason = &'static str;

const NOT_AN_OBJECT: Reason = "not a JSON object";

impl<'a> Object<'a> {
    /// Parses one object without trailing text: UTF-8 without a byte order mark, no duplicate member names
    /// even if escaped, no lone surrogates, limited depth and number of members.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Reason> {
        Self::parse_text(std::str::from_utf8(bytes).map_err(|_| "not UTF-8")?)
    }

    fn parse_text(text: &'a str) -> Result<Self, Reason> {
        let mut object = Self {
            members: Vec::with_capacity(16),
            bits: 0,
        };
        for_each_member(text, |name, value| {
            if object.members.len() == MAX_MEMBERS {
                return Err("too many members");
            }
            if object.get(&name).is_some() {
                return Err("a member twice");
            }
            let (bit, value) = (bit(&name), Value::parse(value, 1)?);
            object.bits |= bit;
            object.members.push(Member { bit, name, value });
            Ok(())
        })?;
        Ok(object)
    }

    /// The member with this name.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "the compiler computes the bit of a constant name"
    )]
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'a>> {
        let bit = bit(name);
        if self.bits & bit == 0 {
            return None;
        }
        self.find(bit, name)
    }

    #[inline]
    fn find(&self, bit: u64, name: &str) -> Option<&Value<'a>> {
        for member in &self.members {
            if member.bit == bit && member.name == name {
                return Some(&member.value);
            }
        }
        None
    }

    /// Whether there is a member with any of these names.
    #[inline]
    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.get(name).is_some())
    }
}

impl<'a> Value<'a> {
    /// The text of a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// A finite number.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// The members of an object, parsed as strictly as by [`Object::parse`].
    pub(crate) fn as_object(&self) -> Option<Object<'a>> {
        match self {
            Self::Object(text) => Object::parse_text(text).ok(),
            _ => None,
        }
    }

    /// The elements of an array.
    pub(crate) fn as_array(&self) -> Option<Vec<Self>> {
        let Self::Array(text) = self else {
            return None;
        };
        let elements = elements(text).ok()?;
        let values = elements.iter().map(|element| Self::parse(element.get(), 1));
        values.collect::<Result<_, _>>().ok()
    }

    /// Checks the text of a value that is a member or an element at this depth. The parser has accepted it,
    /// but skipped the strings in it without unescaping them.
    fn parse(text: &'a str, depth: usize) -> Result<Self, Reason> {
        Ok(match text.as_bytes().first() {
            Some(b'"') => Self::String(unescape(text)?),
            Some(b'{' | b'[') if depth == MAX_DEPTH => return Err("nested too deep"),
            Some(b'{') => {
                for_each_member(text, |_, value| Self::parse(value, depth + 1).map(drop))?;
                Self::Object(text)
            }
            Some(b'[') => {
                for element in elements(text)? {
                    Self::parse(element.get(), depth + 1)?;
                }
                Self::Array(text)
            }
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') => Self::Null,
            _ if text.len() > MAX_NUMBER_BYTES => return Err("a number too long"),
            _ => Self::Number(text),
        })
    }
}

/// One of 64 bits. Equal names have the same one; the members of tokens have different ones.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "the compiler computes the bit of a constant name"
)]
fn bit(name: &str) -> u64 {
    let (first, last) = match name.as_bytes() {
        [first, .., last] => (*first, *last),
        [only] => (*only, *only),
        [] => (0, 0),
    };
    1 << ((name.len() + 10 * usize::from(first) + usize::from(last)) % 64)
}

/// The text of a string between its quotes. It is copied only if it has escapes, which is rare.
fn unescape(text: &str) -> Result<Cow<'_, str>, Reason> {
    if memchr::memchr(b'\\', text.as_bytes()).is_some() {
        let unescaped = serde_json::from_str(text).map(Cow::Owned);
        return unescaped.map_err(|_| "a lone surrogate");
    }
    let inner = text.get(1..text.len().saturating_sub(1));
    inner.map(Cow::Borrowed).ok_or(NOT_AN_OBJECT)
}

fn elements(text: &str) -> Result<Vec<&RawValue>, Reason> {
    serde_json::from_str(text).map_err(|_| NOT_AN_OBJECT)
}

/// Parses one object without trailing text, and passes on names and the texts of values.
fn for_each_member<'a>(
    text: &'a str,
    each: impl FnMut(Cow<'a, str>, &'a str) -> Result<(), Reason>,
) -> Result<(), Reason> {
    let mut reason = NOT_AN_OBJECT;
    let mut parser = serde_json::Deserializer::from_str(text);
    let members = Members {
        each,
        reason: &mut reason,
    };
    let parsed = members.deserialize(&mut parser);
    parsed.and_then(|()| parser.end()).map_err(|_| reason)
}

struct Members<'r, F> {
    each: F,
    /// Why `each` stopped.
    reason: &'r mut Reason,
}

impl<'a, F> DeserializeSeed<'a> for Members<'_, F>
where
    F: FnMut(Cow<'a, str>, &'a str) -> Result<(), Reason>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_map(self)
    }
}

impl<'a, F> Visitor<'a> for Members<'_, F>
where
    F: FnMut(Cow<'a, str>, &'a str) -> Result<(), Reason>,
{
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some((Name(name), value)) = members.next_entry::<_, &RawValue>()? {
            if let Err(reason) = (self.each)(name, value.get()) {
                *self.reason = reason;
                return Err(A::Error::custom(reason));
            }
        }
        Ok(())
    }
}

/// The name of a member, borrowed if it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests;
