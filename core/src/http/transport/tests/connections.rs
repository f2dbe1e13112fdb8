//! How many connections are opened.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Barrier;

use super::*;

/// Answers as many requests at once as there are, and keeps its connections.
async fn serve_crowds(listener: TcpListener, size: usize, opened: Arc<AtomicUsize>) {
    let crowd = Arc::new(Barrier::new(size));
    let mut connections = JoinSet::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        opened.fetch_add(1, Ordering::Relaxed);
        let crowd = Arc::clone(&crowd);
        connections.spawn(async move {
            let mut request = Vec::new();
            while let Ok(byte) = stream.read_u8().await {
                request.push(byte);
                if request.ends_with(b"\r\n\r\n") {
                    request.clear();
                    crowd.wait().await;
                    let said = answer(200, "", "{}");
                    stream.write_all(said.as_bytes()).await.unwrap();
                }
            }
        });
    }
}

#[tokio::test]
async fn a_crowd_uses_the_connections_of_the_one_before_it() {
    const CROWD: usize = 8;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    let opened = Arc::new(AtomicUsize::new(0));
    let mut server = JoinSet::new();
    server.spawn(serve_crowds(listener, CROWD, Arc::clone(&opened)));
    let transport = Arc::new(transport(PATIENT));
    for _ in 0..3 {
        let mut crowd = JoinSet::new();
        for _ in 0..CROWD {
            let (transport, url) = (Arc::clone(&transport), url.clone());
            crowd.spawn(async move { get(&transport, &url).await.unwrap().status });
        }
        assert_eq!(crowd.join_all().await, [200; CROWD]);
    }
    assert_eq!(opened.load(Ordering::Relaxed), CROWD);
}
