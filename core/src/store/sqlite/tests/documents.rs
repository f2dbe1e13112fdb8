//! Guarantees of the store for documents.

use super::*;

const NAME: &str = "4KiB6Pe8OZKdgGXTdxFTTMbXBlY7ulzj7v2y0sOTMYY";
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn keeps_a_document_until_its_deadline() {
    let scene = Scene::new();
    let (one, two) = (scene.open().unwrap(), scene.open().unwrap());
    let two = two.documents().unwrap();
    assert_eq!(two.load(NAME).await.unwrap(), None);
    one.save(NAME, "old".to_owned(), MINUTE).await.unwrap();
    one.save(NAME, "new".to_owned(), MINUTE).await.unwrap();
    assert_eq!(two.load(NAME).await.unwrap().as_deref(), Some("new"));
    scene.clock.advance(MINUTE);
    assert_eq!(two.load(NAME).await.unwrap(), None);
    two.lease(NAME, MINUTE).await.unwrap();
    assert_eq!(scene.rows("documents"), 0);
}

#[tokio::test]
async fn a_document_from_the_future_is_ignored() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    let start = scene.clock.now();
    store.save(NAME, "text".to_owned(), MINUTE).await.unwrap();
    scene.clock.set(start - 6 * MINUTE);
    assert_eq!(store.load(NAME).await.unwrap(), None);
}

#[tokio::test]
async fn a_lease_has_one_holder_until_it_is_released_or_over() {
    let scene = Scene::new();
    let (one, two) = (scene.open().unwrap(), scene.open().unwrap());
    assert!(one.lease(NAME, MINUTE).await.unwrap());
    assert!(!two.lease(NAME, MINUTE).await.unwrap());
    assert!(two.lease("another", MINUTE).await.unwrap());
    one.release(NAME).await.unwrap();
    assert!(two.lease(NAME, MINUTE).await.unwrap());
    scene.clock.advance(MINUTE);
    assert!(one.lease(NAME, MINUTE).await.unwrap());
    assert!(!two.lease(NAME, MINUTE).await.unwrap());
    let now = scene.clock.now();
    scene.clock.set(now - 10 * MINUTE);
    assert!(two.lease(NAME, MINUTE).await.unwrap());
}
