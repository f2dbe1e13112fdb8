//! The broker's half of the code flow: codes, and what they are redeemed for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use portier_client::testing::MockTransport;
use serde_json::{Value, json};

pub(crate) struct Codes {
    transport: Arc<MockTransport>,
    endpoint: String,
    /// The codes that were issued, with their tokens.
    issued: HashMap<String, String>,
    redeemed: HashSet<String>,
    /// The code that would be redeemed now.
    current: Option<String>,
    before: usize,
}

impl Codes {
    pub(crate) fn new(transport: Arc<MockTransport>, broker: &str) -> Self {
        Self {
            transport,
            endpoint: format!("{broker}/token"),
            issued: HashMap::new(),
            redeemed: HashSet::new(),
            current: None,
            before: 0,
        }
    }

    /// The code for a token.
    pub(crate) fn code(&mut self, token: String) -> String {
        let known = self.issued.iter().find(|(_, known)| **known == token);
        if let Some((code, _)) = known {
            return code.clone();
        }
        let code = format!("{}.code", self.issued.len() + 1);
        self.issued.insert(code.clone(), token);
        code
    }

    /// Prepares the answer to the token request of a step: the given one, or the token of the code that is
    /// in the request, once.
    pub(crate) fn expect(&mut self, request: &str, given: &Value) {
        let mut codes = self.issued.keys();
        let current = codes.find(|code| request.contains(&format!("={code}")));
        let current = current.filter(|code| !self.redeemed.contains(*code));
        let (status, body) = match (given[0].as_u64(), current) {
            (Some(status), _) => (u16::try_from(status).unwrap(), given[1].clone()),
            (None, Some(code)) => (200, json!({ "id_token": self.issued[code] })),
            (None, None) => (400, json!({ "error": "invalid_grant" })),
        };
        self.current = current.filter(|_| given.is_null()).cloned();
        let headers = [("content-type", "application/json")];
        let body = body.to_string();
        self.transport
            .respond(&self.endpoint, status, &headers, body)
            .unwrap();
        self.before = self.transport.requests(&self.endpoint);
    }

    /// The number of token requests since then.
    pub(crate) fn requests(&mut self) -> usize {
        let requests = self.transport.requests(&self.endpoint) - self.before;
        if requests > 0 {
            self.redeemed.extend(self.current.take());
        }
        requests
    }
}
