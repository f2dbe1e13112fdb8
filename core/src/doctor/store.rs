//! The store: reachable, atomic, shared, and safe from eviction.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::finding::{Finding, FindingId};
use super::options::DoctorOptions;
use super::{certificate_fault, millis, sentence, shown};
use crate::clock::{Clock, Random, SystemClock, SystemRandom};
use crate::error::{Error, Kind, Result};
use crate::nonce::Nonce;
use crate::session_key::SessionKey;
use crate::store::{self, Store, Taken, Timed};

const PATIENCE: Duration = Duration::from_secs(5);
const SLOW: Duration = Duration::from_millis(250);
const TTL: Duration = Duration::from_secs(60);
/// How many callers take one record at once.
const TAKERS: usize = 8;

pub(super) async fn examine(options: &DoctorOptions) -> Vec<Finding> {
    let url = match options.store.as_deref() {
        None if options.has_secret => return vec![sealed()],
        None => "memory:",
        Some(url) => url,
    };
    let stores = match open(url).and_then(|one| Ok([one, open(url)?])) {
        Ok(stores) => stores,
        Err(error) => return vec![failed(&error)],
    };
    let [one, other] = &stores;
    let begun = SystemClock::new();
    let outcome = take_at_once(one, other).await;
    let time = begun.monotonic();
    let finding = match outcome {
        Err(error) => return vec![failed(&error)],
        Ok(_) if one.is_local() => return vec![memory()],
        Ok(0) => Finding::new(
            FindingId::StoreNotShared,
            "A record of one client is not found by another client with the same store.",
        ),
        Ok(1) => good(time),
        Ok(times) => Finding::new(
            FindingId::StoreNotAtomic,
            format!("The store returned one record {times} times."),
        ),
    };
    of_server(url, with_processes(url, finding).await).await
}

/// Adds how many processes have the file of the store open.
async fn with_processes(url: &str, mut finding: Finding) -> Finding {
    let url = url.to_owned();
    let counted = tokio::task::spawn_blocking(move || store::processes_with_file(&url)).await;
    let Ok(Some(processes)) = counted else {
        return finding;
    };
    let text = &finding.text;
    finding.text = match processes {
        1 => format!("{text} 1 other process has the file open now."),
        _ => format!("{text} {processes} other processes have the file open now."),
    };
    finding.with("processes", processes)
}

/// Puts a record with one client of the store, takes it with many concurrent calls of another one, and returns
/// how many calls got it.
async fn take_at_once(one: &Arc<dyn Store>, other: &Arc<dyn Store>) -> Result<usize> {
    let random: &dyn Random = &SystemRandom;
    let nonce = Nonce::generate(random, None)?;
    let key = SessionKey::new("portier-client:doctor", "", nonce.as_str());
    one.put(&key, "{}".to_owned(), TTL).await?;
    let taken = join_all((0..TAKERS).map(|_| other.take(&key))).await;
    let mut times = 0;
    for outcome in taken {
        times += usize::from(matches!(outcome?, Taken::Record(_)));
    }
    Ok(times)
}

fn open(url: &str) -> Result<Arc<dyn Store>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Ok(Timed::wrap(store::open(url, &clock)?, PATIENCE))
}

fn sealed() -> Finding {
    let text = "Pending logins are sealed with the secret of the site, and need no store.";
    Finding::new(FindingId::Store, text).with("kind", "sealed")
}

fn memory() -> Finding {
    let text = "Pending logins are kept in the memory of each process.";
    Finding::new(FindingId::StoreMemory, text)
}

fn good(time: Duration) -> Finding {
    let id = if time > SLOW {
        FindingId::StoreSlow
    } else {
        FindingId::Store
    };
    let text = format!(
        "The store is shared, and returns each record once. Keeping one and taking it took {}.",
        shown(time)
    );
    Finding::new(id, text).with("milliseconds", millis(time))
}

fn failed(error: &Error) -> Finding {
    let id = match certificate_fault(error) {
        Some(_) => FindingId::StoreCertificate,
        None if error.kind() == Kind::ConfigError => FindingId::StoreInvalid,
        None => FindingId::StoreFailed,
    };
    Finding::new(id, sentence(error)).with("code", error.code().as_str())
}

/// Adds what the server of the store says about itself.
async fn of_server(url: &str, finding: Finding) -> Vec<Finding> {
    #[cfg(feature = "redis")]
    return super::redis::examine(url, finding).await;
    #[cfg(not(feature = "redis"))]
    {
        let _ = url;
        vec![finding]
    }
}
