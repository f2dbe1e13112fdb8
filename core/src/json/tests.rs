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
fn a_document_is_exactly_one_object() {
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
fn wrong_escapes_and_lone_surrogates_are_refused_wherever_they_are() {
    for text in [
        r#"{"a":"\x41"}"#,
        r#"{"a":"\u12g4"}"#,
        r#"{"a":"\é"}"#,
        "{\"a\":\"\\\n\"}",
        r#"{"\ud800":1}"#,
        r#"{"a":{"\ud800":1}}"#,
        r#"{"a":[{"\x41":1}]}"#,
    ] {
        assert_eq!(reason(text), "not a JSON object", "{text}");
    }
    for text in [
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\udc00\ud800"}"#,
        r#"{"a":["\ud800"]}"#,
        r#"{"a":{"b":[{"c":"\udfff"}]}}"#,
    ] {
        assert_eq!(reason(text), "a lone surrogate", "{text}");
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

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(bytes: Vec<u8>) {
        drop(Object::parse(&bytes));
    }
}
