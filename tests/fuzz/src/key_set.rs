//! Key sets: the bytes of a body.

use std::sync::Arc;

use portier_client::Code;
use portier_client::testing::ManualClock;

use crate::quiet::says_nothing_of;
use crate::reference::keys::usable;
use crate::setting::{self, DISCOVERY, NOW, wait};

/// The client uses the keys that the reference uses.
pub fn run(bytes: &[u8]) {
    let network = setting::network(DISCOVERY.as_bytes(), bytes);
    let clock = Arc::new(ManualClock::at(NOW));
    let client = setting::client(&network, &clock).build().unwrap();
    let expected = usable(bytes);
    match wait(client.keys()) {
        Ok(keys) => {
            let keys = keys
                .iter()
                .map(|key| (key.id.as_str(), key.algorithm.as_str(), key.bits));
            let expected = expected.iter().flatten();
            let expected = expected.map(|key| (key.id.as_str(), key.algorithm, key.bits));
            assert_eq!(keys.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
            assert_eq!(wait(client.key_set()).unwrap().as_bytes(), bytes);
        }
        Err(error) => {
            assert_eq!(error.code(), Code::BrokerDocument);
            let ids: Vec<_> = expected.iter().flatten().map(|key| &key.id).collect();
            assert!(expected.is_none(), "{error}, but {ids:?}");
            says_nothing_of(&error, &[&String::from_utf8_lossy(bytes)]);
        }
    }
}
