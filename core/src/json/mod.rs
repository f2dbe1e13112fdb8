//! Strict reading of JSON objects from outside.
//!
//! The parser runs in one pass and keeps the text of numbers, arrays and objects. General parsers
//! accept more than RFC 8259 allows and report less: they fill objects from arrays, let the last of
//! two members win, and read numbers differently if another crate turns on one of their features.
//! The tests compare this parser with `serde_json`.

use std::borrow::Cow;

/// The maximum number of members of an object: more than any real document has, and few enough to
/// find repeated names by comparing all pairs.
const MAX_MEMBERS: usize = 256;

/// The maximum depth of arrays and objects; the outermost one counts.
const MAX_DEPTH: usize = 16;

/// A JSON object: its members in their order, without repeated names.
pub(crate) struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
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

/// The maximum length of a number. Meaningful numbers are shorter, and all parsers can read this length.
const MAX_NUMBER_BYTES: usize = 1024;

const NOT_AN_OBJECT: Reason = "not a JSON object";

impl<'a> Object<'a> {
    /// Parses one object without trailing text: UTF-8 without a byte order mark, no duplicate member names
    /// even if escaped, no lone surrogates, limited depth and number of members.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Reason> {
        Self::parse_text(std::str::from_utf8(bytes).map_err(|_| "not UTF-8")?)
    }

    fn parse_text(text: &'a str) -> Result<Self, Reason> {
        let mut reader = Reader { text, at: 0 };
        let mut members: Vec<(Cow<'a, str>, Value<'a>)> = Vec::with_capacity(16);
        reader.skip_white_space();
        reader.object(1, |name, value| {
            if members.len() == MAX_MEMBERS {
                return Err("too many members");
            }
            if members.iter().any(|(earlier, _)| *earlier == name) {
                return Err("a member twice");
            }
            members.push((name, value));
            Ok(())
        })?;
        reader.end()?;
        Ok(Self { members })
    }

    /// The member with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.members
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value)
    }

    /// Whether there is a member with any of these names.
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
        let mut reader = Reader { text, at: 0 };
        let mut elements = Vec::new();
        reader.array(1, |element| elements.push(element)).ok()?;
        Some(elements)
    }
}

/// Reads a text from front to back.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn object(
        &mut self,
        depth: usize,
        mut each: impl FnMut(Cow<'a, str>, Value<'a>) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        self.list(b'{', b'}', depth, |reader| {
            let name = reader.string()?;
            reader.skip_white_space();
            reader.expect(b':')?;
            reader.skip_white_space();
            each(name, reader.value(depth)?)
        })
    }

    fn array(&mut self, depth: usize, mut each: impl FnMut(Value<'a>)) -> Result<(), Reason> {
        self.list(b'[', b']', depth, |reader| {
            each(reader.value(depth)?);
            Ok(())
        })
    }

    /// Reads comma-separated items up to the closing bracket.
    fn list(
        &mut self,
        open: u8,
        close: u8,
        depth: usize,
        mut item: impl FnMut(&mut Self) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        self.expect(open)?;
        if depth > MAX_DEPTH {
            return Err("nested too deep");
        }
        self.skip_white_space();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            self.skip_white_space();
            if self.peek() == Some(close) {
                self.at += 1;
                return Ok(());
            }
            self.expect(b',')?;
            self.skip_white_space();
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Reason> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => {
                self.object(depth + 1, |_, _| Ok(()))?;
                self.since(start).map(Value::Object)
            }
            Some(b'[') => {
                self.array(depth + 1, drop)?;
                self.since(start).map(Value::Array)
            }
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => {
                self.number()?;
                self.since(start).map(Value::Number)
            }
        }
    }

    /// Reads a string. It is copied only if it has escapes, which is rare.
    fn string(&mut self) -> Result<Cow<'a, str>, Reason> {
        let start = self.at;
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            self.at += plain_bytes(rest);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                _ => return Err(NOT_AN_OBJECT),
            }
        }
        self.at += 1;
        if escaped {
            // Unescapes, and refuses invalid escapes and lone surrogates.
            return serde_json::from_str(self.since(start)?)
                .map(Cow::Owned)
                .map_err(|_| "a wrong escape");
        }
        let inner = self.text.get(start + 1..self.at - 1);
        inner.map(Cow::Borrowed).ok_or(NOT_AN_OBJECT)
    }

    fn number(&mut self) -> Result<(), Reason> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        if self.at - start > MAX_NUMBER_BYTES {
            return Err("a number too long");
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Reason> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(()).ok_or(NOT_AN_OBJECT)
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Reason> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(NOT_AN_OBJECT);
        }
        self.at += word.len();
        Ok(value)
    }

    fn end(&mut self) -> Result<(), Reason> {
        self.skip_white_space();
        self.peek().is_none().then_some(()).ok_or(NOT_AN_OBJECT)
    }

    fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Reason> {
        if self.peek() != Some(byte) {
            return Err(NOT_AN_OBJECT);
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn since(&self, start: usize) -> Result<&'a str, Reason> {
        self.text.get(start..self.at).ok_or(NOT_AN_OBJECT)
    }
}

/// The number of bytes before the first quote, backslash or control character. It takes eight bytes at a
/// time, because most of a token is in strings.
fn plain_bytes(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHS: u64 = ONES << 7;
    // The lowest marked byte is below the limit; higher marked bytes may not be.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGHS;
    let is = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let special = below(word, 0x20) | is(word, b'"') | is(word, b'\\');
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let plain = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
    words.len() * 8 + rest.iter().take_while(plain).count()
}

#[cfg(test)]
mod tests;
