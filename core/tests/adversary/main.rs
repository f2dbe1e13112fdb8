//! Properties that hold even if the store returns wrong, old, missing, forged or restored data, and the broker
//! is unavailable at times.
//!
//! - No key is accepted for longer than a day after the broker or the store last showed it to the process, or
//!   for two days while the broker is unreachable. Keys that a client fetched with an additional trusted
//!   authority are not shared with clients that do not trust it.
//! - A login completes at most as often as the store's `take` returned its record. So it completes once with
//!   every store whose `take` is atomic. Only the store itself could notice restored records.
//! - A sealed login completes at most as often as the store's `put` accepted a record that it was completed.
//! - A login never completes in another browser, and changes nothing in the store there.
//! - Requests go only to hosts that a document names, over `https`. Documents are limited in size. Every call
//!   ends, and nothing panics.
#![cfg(feature = "testing")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod history;
mod store;
mod world;

use std::sync::Arc;

use proptest::prelude::*;

use self::history::{History, config, event, run, script};

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn a_hostile_store_gains_nothing(
        script in script(),
        events in prop::collection::vec(event(), 0..30),
        is_sealed in any::<bool>(),
    ) {
        run(async {
            let mut history = History::new(script, is_sealed, |network| Arc::new(network));
            for event in &events {
                history.happen(event).await;
                assert_eq!(history.world.astray(), None);
            }
        });
    }
}
