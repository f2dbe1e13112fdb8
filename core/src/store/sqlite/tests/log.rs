//! Write-ahead logs that are too long.

use super::*;

#[tokio::test]
async fn a_reader_that_does_not_finish_stops_new_logins_but_no_pending_ones() {
    let scene = Scene::new();
    let limits = Limits {
        log: 1 << 20,
        ..IMPATIENT
    };
    let store = scene.open_with(limits).unwrap();
    put(&store, 0, TTL).await.unwrap();
    let reader = scene.raw();
    reader.execute_batch("BEGIN").unwrap();
    let count = "SELECT count(*) FROM logins";
    reader.query_row(count, (), |_| Ok(())).unwrap();
    let mut number = 0;
    let error = loop {
        number += 1;
        assert!(number < 1000, "the log has no limit");
        if let Err(error) = store.put(&key(number), "x".repeat(30_000), TTL).await {
            break error;
        }
    };
    assert_eq!(error.code(), Code::StoreFull);
    assert!(number > 10, "{number}");
    let log = scene.directory.join("logins.db-wal");
    let length = fs::metadata(&log).unwrap().len();
    assert!(length < 2 * limits.log, "{length}");
    for _ in 0..10 {
        assert_eq!(code(put(&store, number, TTL).await), Code::StoreFull);
        assert_eq!(code(store.lease("name", TTL).await), Code::StoreFull);
    }
    assert_eq!(fs::metadata(&log).unwrap().len(), length);
    // Also in one transaction with a refused login.
    let (refused, taken) = tokio::join!(put(&store, number, TTL), take(&store, 0));
    assert_eq!(code(refused), Code::StoreFull);
    assert_eq!(taken.unwrap(), record(0));
    assert_eq!(take(&store, 0).await.unwrap(), Taken::Used);
    assert_eq!(store.contains(&key(1)).await.unwrap(), Some(true));

    reader.execute_batch("COMMIT").unwrap();
    put(&store, number, TTL).await.unwrap();
    let length = fs::metadata(&log).unwrap().len();
    assert!(length < limits.log, "{length}");
    assert_eq!(take(&store, number).await.unwrap(), record(number));
}
