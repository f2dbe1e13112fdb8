//! Answers to questions that every language must answer in the same way, for `tests/differential`.
//!
//! A line of input is a question, as a list: `["normalize", text]` or `["next", text, hosts]`. A
//! line of output is its answer.

use std::io::{BufRead as _, stdin};

use portier_client::{normalize_email, safe_next};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        println!("{}", answer(&question).ok_or("not a question")?);
    }
    Ok(())
}

fn answer(question: &Value) -> Option<Value> {
    let text = || question.get(1)?.as_str();
    let code = |error: portier_client::Error| json!({ "code": error.code().as_str() });
    match question.get(0)?.as_str()? {
        "normalize" => Some(normalize_email(text()?).map_or_else(code, Value::from)),
        "next" => {
            let hosts: Option<Vec<_>> = question
                .get(2)?
                .as_array()?
                .iter()
                .map(Value::as_str)
                .collect();
            Some(safe_next(text()?, &hosts?).into())
        }
        _ => None,
    }
}
