//! Strict reading of JSON objects from outside.
//!
//! `serde_json` checks the grammar and unescapes strings; what a value is, is decided here from its
//! text. So no object is ever filled from an array, a number means the same whether or not another
//! crate turns on `serde_json/arbitrary_precision`, and a repeated name is seen.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

/// How many members an object may have: more than any real document has, and few enough to look
/// for repeated names by comparing all with all.
const MAX_MEMBERS: usize = 256;

/// How deep arrays and objects may be nested, the outermost counted as one.
const MAX_DEPTH: usize = 16;

/// A JSON object: its members in the order in which they came, no name twice.
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

/// Why a text was not read. The words are fixed: nothing of the text is in them.
pub(crate) type Reason = &'static str;

impl<'a> Object<'a> {
    /// Reads one object and nothing after it: UTF-8 without a byte order mark, no repeated member
    /// names however they are spelt, no lone surrogates, bounded in depth and members.
    pub(crate) fn parse(octets: &'a [u8]) -> Result<Self, Reason> {
        Self::parse_text(std::str::from_utf8(octets).map_err(|_| "not UTF-8")?)
    }

    fn parse_text(text: &'a str) -> Result<Self, Reason> {
        let mut members: Vec<(Cow<'a, str>, Value<'a>)> = Vec::with_capacity(16);
        each_member(text, |name, value| {
            if members.len() == MAX_MEMBERS {
                return Err("too many members");
            }
            if members.iter().any(|(earlier, _)| *earlier == name) {
                return Err("a member twice");
            }
            members.push((name, Value::parse(value, 1)?));
            Ok(())
        })?;
        Ok(Self { members })
    }

    /// The member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.members
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value)
    }

    /// Whether any of these names is among the members, whatever its value.
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

    /// A number that is finite as a double.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// The members of an object, read as strictly as [`Object::parse`] reads.
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
        let elements = elements(text).ok()?.into_iter();
        elements
            .map(|element| Self::parse(element.get(), 1).ok())
            .collect()
    }

    /// Takes the text of one value; arrays and objects are walked, so that what is inside obeys the
    /// rules too. Each level is scanned again for each level above it, which the limit keeps small.
    fn parse(value: &'a str, depth: usize) -> Result<Self, Reason> {
        let nested = matches!(value.as_bytes().first(), Some(b'[' | b'{'));
        if nested && depth == MAX_DEPTH {
            return Err("nested too deep");
        }
        Ok(match value.as_bytes().first() {
            Some(b'"') => Self::String(unescape(value)?),
            Some(b'[') => {
                for element in elements(value)? {
                    Self::parse(element.get(), depth + 1)?;
                }
                Self::Array(value)
            }
            Some(b'{') => {
                each_member(value, |_, member| Self::parse(member, depth + 1).map(drop))?;
                Self::Object(value)
            }
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') => Self::Null,
            _ => Self::Number(value),
        })
    }
}

/// The string a literal stands for; almost none has an escape, and those are not copied.
fn unescape(literal: &str) -> Result<Cow<'_, str>, Reason> {
    if !literal.contains('\\') {
        let inner = literal.strip_prefix('"').and_then(|s| s.strip_suffix('"'));
        return inner.map(Cow::Borrowed).ok_or(NOT_JSON);
    }
    // Here `serde_json` refuses lone surrogates.
    serde_json::from_str(literal)
        .map(Cow::Owned)
        .map_err(|_| "a string that is not Unicode")
}

const NOT_JSON: Reason = "not JSON";

fn elements(array: &str) -> Result<Vec<&RawValue>, Reason> {
    serde_json::from_str(array).map_err(|_| NOT_JSON)
}

/// Calls `each` with the name and the text of every member of an object, until it fails.
fn each_member<'a>(
    object: &'a str,
    each: impl FnMut(Cow<'a, str>, &'a str) -> Result<(), Reason>,
) -> Result<(), Reason> {
    let mut reason = None;
    let mut deserializer = Deserializer::from_str(object);
    deserializer
        .deserialize_map(Members {
            each,
            reason: &mut reason,
        })
        .and_then(|()| deserializer.end())
        .map_err(|_| reason.unwrap_or("not a JSON object"))
}

struct Members<'r, F> {
    each: F,
    reason: &'r mut Option<Reason>,
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
        while let Some(Name(name)) = members.next_key()? {
            let value: &RawValue = members.next_value()?;
            (self.each)(name, value.get()).map_err(|reason| {
                *self.reason = Some(reason);
                A::Error::custom(reason)
            })?;
        }
        Ok(())
    }
}

/// A member's name, borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a member's name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reason(text: &str) -> Reason {
        Object::parse(text.as_bytes()).err().unwrap_or("read")
    }

    #[test]
    fn reads_members_by_name() {
        let text =
            br#" {"a":"x","b":"\u0041\n","c":-1.5e2,"d":true,"e":null,"f":[1,"y"],"g":{"h":{}}} "#;
        let object = Object::parse(text).unwrap();
        assert_eq!(object.get("a").unwrap().as_str(), Some("x"));
        assert_eq!(object.get("b").unwrap().as_str(), Some("A\n"));
        assert_eq!(object.get("c").unwrap().as_f64(), Some(-150.0));
        assert!(matches!(object.get("d"), Some(Value::Bool(true))));
        assert!(matches!(object.get("e"), Some(Value::Null)));
        assert_eq!(object.get("f").unwrap().as_array().unwrap().len(), 2);
        assert!(
            object
                .get("g")
                .unwrap()
                .as_object()
                .unwrap()
                .has_any(&["h"])
        );
        assert!(object.get("h").is_none());
    }

    #[test]
    fn only_one_object_is_an_object() {
        for text in [
            "",
            " ",
            "null",
            "1",
            "\"x\"",
            "[]",
            "[{}]",
            "{",
            "{}{}",
            "{},",
            "{}x",
            "\u{feff}{}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":.5}",
            "{\"a\":5.}",
            "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{\"a\":1e}",
            "{\"a\":\"\t\"}",
            "{\"a\":\"\\x41\"}",
            "{\"a\":tru}",
            "{/**/}",
            "{\"a\":1 \"b\":2}",
        ] {
            assert_eq!(reason(text), "not a JSON object", "{text:?}");
        }
        assert_eq!(Object::parse(b"{\"a\":\"\xff\"}").err(), Some("not UTF-8"));
    }

    #[test]
    fn a_repeated_name_is_seen_however_it_is_spelt() {
        assert_eq!(reason(r#"{"a":1,"b":2,"a":1}"#), "a member twice");
        assert_eq!(reason(r#"{"exp":1,"\u0065xp":2}"#), "a member twice");
        assert_eq!(reason(r#"{"a":{"b":1,"b":2}}"#), "read");
    }

    #[test]
    fn lone_surrogates_are_refused_wherever_they_are() {
        for text in [
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\udc00\ud800"}"#,
            r#"{"a":["\ud800"]}"#,
            r#"{"a":{"b":[{"c":"\udfff"}]}}"#,
        ] {
            assert_eq!(reason(text), "a string that is not Unicode", "{text}");
        }
        for text in [r#"{"\ud800":1}"#, r#"{"a":{"\ud800":1}}"#] {
            assert_eq!(reason(text), "not a JSON object", "{text}");
        }
        assert_eq!(reason(r#"{"a":"\ud83d\ude00"}"#), "read");
    }

    #[test]
    fn depth_and_members_are_bounded() {
        let nested =
            |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(reason(&nested(MAX_DEPTH - 1)), "read");
        assert_eq!(reason(&nested(MAX_DEPTH)), "nested too deep");
        assert_eq!(reason(&nested(100_000)), "nested too deep");
        let wide = |members: usize| {
            let members: Vec<_> = (0..members).map(|n| format!("\"{n}\":{n}")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(reason(&wide(MAX_MEMBERS)), "read");
        assert_eq!(reason(&wide(MAX_MEMBERS + 1)), "too many members");
    }

    #[test]
    fn numbers_are_their_text_whatever_serde_json_was_built_with() {
        for (text, number) in [
            ("0", Some(0.0)),
            ("-0", Some(0.0)),
            ("1700000000", Some(1_700_000_000.0)),
            ("1700000000.25", Some(1_700_000_000.25)),
            ("1.7E+9", Some(1_700_000_000.0)),
            ("18446744073709551616", Some(18_446_744_073_709_551_616.0)),
            ("1e308", Some(1e308)),
            ("1e309", None),
            ("-1e999999999999", None),
            ("1e-999999999999", Some(0.0)),
            ("{\"$serde_json::private::Number\":\"1\"}", None),
            ("{\"$serde_json::private::RawValue\":\"1\"}", None),
            ("\"1\"", None),
        ] {
            let object = format!("{{\"n\":{text}}}");
            let object = Object::parse(object.as_bytes()).unwrap();
            assert_eq!(object.get("n").unwrap().as_f64(), number, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_read_that_serde_json_refuses(text in "[{}\\[\\]\",:\\\\ueE0-9a-f.+ -]{0,40}") {
            let text = format!("{{{text}}}");
            if Object::parse(text.as_bytes()).is_ok() {
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok());
            }
        }

        #[test]
        fn any_octets_are_survived(octets: Vec<u8>) {
            drop(Object::parse(&octets));
        }
    }
}
