//! Handwritten cases, and a comparison with `serde_json`.

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
        "{\"a\":tru}",
        "{/**/}",
        "{\"a\":1 \"b\":2}",
    ] {
        assert_eq!(reason(text), "not a JSON object", "{text:?}");
    }
    assert_eq!(Object::parse(b"{\"a\":\"\xff\"}").err(), Some("not UTF-8"));
}

#[test]
fn a_duplicate_name_is_refused_even_if_escaped() {
    assert_eq!(reason(r#"{"a":1,"b":2,"a":1}"#), "a member twice");
    assert_eq!(reason(r#"{"exp":1,"\u0065xp":2}"#), "a member twice");
    assert_eq!(reason(r#"{"a":{"b":1,"b":2}}"#), "read");
}

#[test]
fn wrong_escapes_are_refused_wherever_they_are() {
    for text in [
        r#"{"a":"\x41"}"#,
        r#"{"a":"\u12g4"}"#,
        r#"{"a":"\é"}"#,
        "{\"a\":\"\\\n\"}",
        r#"{"\ud800":1}"#,
        r#"{"a":{"\ud800":1}}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\udc00\ud800"}"#,
        r#"{"a":["\ud800"]}"#,
        r#"{"a":{"b":[{"c":"\udfff"}]}}"#,
    ] {
        assert_eq!(reason(text), "a wrong escape", "{text}");
    }
    assert_eq!(reason(r#"{"a":"\ud83d\ude00"}"#), "read");
}

#[test]
fn numbers_are_bounded() {
    let long = |digits: usize| format!("{{\"a\":{}}}", "1".repeat(digits));
    assert_eq!(reason(&long(MAX_NUMBER_BYTES)), "read");
    assert_eq!(reason(&long(MAX_NUMBER_BYTES + 1)), "a number too long");
}

#[test]
fn depth_and_members_are_bounded() {
    let nested = |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(reason(&nested(MAX_DEPTH - 1)), "read");
    assert_eq!(reason(&nested(MAX_DEPTH)), "nested too deep");
    assert_eq!(reason(&nested(100_000)), "nested too deep");
    let objects = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    assert_eq!(reason(&objects(MAX_DEPTH)), "read");
    assert_eq!(reason(&objects(MAX_DEPTH + 1)), "nested too deep");
    let wide = |members: usize| {
        let members: Vec<_> = (0..members).map(|n| format!("\"{n}\":{n}")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert_eq!(reason(&wide(MAX_MEMBERS)), "read");
    assert_eq!(reason(&wide(MAX_MEMBERS + 1)), "too many members");
}

#[test]
fn numbers_have_the_value_of_their_text() {
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

/// A value of `serde_json`, converted for the comparison.
fn like_serde(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::String(text) => text.as_ref().into(),
        Value::Number(text) | Value::Array(text) | Value::Object(text) => {
            serde_json::from_str(text).unwrap()
        }
    }
}

fn like_serde_object(object: &Object<'_>) -> serde_json::Value {
    let members = object.members.iter();
    members
        .map(|(name, value)| (name.to_string(), like_serde(value)))
        .collect()
}

/// Whether `serde_json` reads an object; the members say nothing about repeated ones.
fn serde_object(text: &str) -> Option<serde_json::Value> {
    serde_json::from_str(text)
        .ok()
        .filter(serde_json::Value::is_object)
}

/// Random text of JSON fragments, so that much of it is almost JSON.
fn almost_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just("\""),
        Just("\\"),
        Just("\"a\""),
        Just("\"b\""),
        Just("\\u0061"),
        Just("\\ud83d"),
        Just("\\ude00"),
        Just("\\n"),
        Just("0"),
        Just("1"),
        Just("-"),
        Just("."),
        Just("e"),
        Just("E+"),
        Just("true"),
        Just("false"),
        Just("null"),
        Just(" "),
        Just("\n"),
        Just("\t"),
        Just("\u{1}"),
        Just("ö"),
        Just("\"aaaaaaaaaaaa\""),
        Just("\"a\":"),
        Just("\"b\":"),
        Just("\"c\":[1,"),
        Just("\"d\":{"),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| format!("{{{}}}", pieces.concat()))
}

/// Well-formed objects, small enough for every limit.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,20}".prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            members(inner),
        ]
    });
    members(value)
}

fn members(
    value: impl Strategy<Value = serde_json::Value>,
) -> impl Strategy<Value = serde_json::Value> {
    proptest::collection::btree_map(".{0,12}", value, 0..6)
        .prop_map(|members| members.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn values_are_those_of_serde_json(text in almost_json()) {
        match (Object::parse(text.as_bytes()), serde_object(&text)) {
            (Ok(object), Some(expected)) => {
                prop_assert_eq!(like_serde_object(&object), expected);
            }
            (Err("a member twice"), Some(_)) | (Err(_), None) => {}
            (Ok(_), None) => prop_assert!(false, "only we read {:?}", text),
            (Err(reason), Some(_)) => prop_assert!(false, "{} {:?}", reason, text),
        }
    }

    #[test]
    fn what_serde_json_writes_is_read(value in json(), pretty: bool) {
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        let object = Object::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(like_serde_object(&object), serde_object(&text).unwrap());
    }

    #[test]
    fn strings_end_where_they_end(text in "[ -~\\u{1}\\u{1f}\\u{7f}ö€]{0,40}") {
        let special = |c: char| c < ' ' || c == '"' || c == '\\';
        let end = text.find(special).unwrap_or(text.len());
        prop_assert_eq!(plain_bytes(text.as_bytes()), end);
    }

    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>) {
        drop(Object::parse(&bytes));
    }
}
