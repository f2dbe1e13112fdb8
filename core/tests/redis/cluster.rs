//! A cluster of three nodes, whose slots move and whose nodes die.

use std::sync::Arc;

use portier_client::{Code, RedisStore, Store as _, Taken};
use tokio::task::JoinSet;

use crate::server::{Redis, code, eventually, key, limited, put, record, take};

struct Cluster {
    nodes: Vec<Redis>,
}

impl Cluster {
    /// Three primaries that share the slots.
    fn start() -> Option<Self> {
        let nodes: Vec<_> = (0..3).map(|_| node()).collect::<Option<_>>()?;
        for (index, node) in nodes.iter().enumerate() {
            let slots = (index * 16384 / 3..(index + 1) * 16384 / 3).map(|slot| slot.to_string());
            let slots: Vec<_> = slots.collect();
            let mut words = vec!["CLUSTER", "ADDSLOTS"];
            words.extend(slots.iter().map(String::as_str));
            let () = node.tell(&words);
            meet(node, &nodes[0]);
        }
        let cluster = Self { nodes };
        cluster.until_all("cluster_state:ok", 3);
        Some(cluster)
    }

    fn until_all(&self, state: &str, size: usize) {
        for node in &self.nodes {
            node.until_reply(&["CLUSTER", "INFO"], state);
            node.until_reply(&["CLUSTER", "INFO"], &format!("cluster_known_nodes:{size}"));
        }
    }

    /// A client that knows only one node, and discovers the others.
    fn store(&self) -> RedisStore {
        RedisStore::new(&self.nodes[0].url().replace("redis:", "redis+cluster:")).unwrap()
    }

    /// The node that has a login's slot, another one, and the slot.
    fn owner(&self, number: usize) -> (&Redis, &Redis, String) {
        let name = format!("portier:session:{}", key(number));
        let slot: u16 = self.nodes[0].tell(&["CLUSTER", "KEYSLOT", &name]);
        let index = (0..3)
            .find(|index| slot < u16::try_from((index + 1) * 16384 / 3).unwrap())
            .unwrap();
        let others = &self.nodes[(index + 1) % 3];
        (&self.nodes[index], others, slot.to_string())
    }
}

fn node() -> Option<Redis> {
    Redis::start_with(&["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"])
}

fn meet(node: &Redis, other: &Redis) {
    let () = node.tell(&["CLUSTER", "MEET", "127.0.0.1", &other.port().to_string()]);
}

fn id(node: &Redis) -> String {
    node.tell(&["CLUSTER", "MYID"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_finds_its_node() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let stores: Vec<_> = (0..2).map(|_| Arc::new(cluster.store())).collect();
    limited(async {
        let mut rounds = JoinSet::new();
        for number in 0..300 {
            let stores = stores.clone();
            rounds.spawn(async move {
                put(&stores[0], number).await.unwrap();
                let takes = (0..4).map(|taker| {
                    let store = Arc::clone(&stores[taker % 2]);
                    tokio::spawn(async move { take(&store, number).await.unwrap() })
                });
                let mut wins = 0;
                for taken in takes.collect::<Vec<_>>() {
                    wins += usize::from(taken.await.unwrap() == record(number));
                }
                wins
            });
        }
        assert!(rounds.join_all().await.into_iter().all(|wins| wins == 1));
        for node in &cluster.nodes {
            let count: usize = node.tell(&["DBSIZE"]);
            assert!(count > 50, "{count}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_slot_that_moves_is_followed() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let store = cluster.store();
    limited(async {
        put(&store, 1).await.unwrap();
        let (from, to, slot) = cluster.owner(1);
        let name = format!("portier:session:{}", key(1));
        let () = to.tell(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(from)]);
        let () = from.tell(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(to)]);
        // The record is still where it was.
        assert_eq!(store.contains(&key(1)).await.unwrap(), Some(true));
        let port = to.port().to_string();
        let _: String = from.tell(&["MIGRATE", "127.0.0.1", &port, &name, "0", "5000"]);
        // It is on the node to which `ASK` redirects.
        assert_eq!(store.contains(&key(1)).await.unwrap(), Some(true));
        assert_eq!(take(&store, 1).await.unwrap(), record(1));
        assert_eq!(take(&store, 1).await.unwrap(), Taken::Used);
        for node in [to, from] {
            let () = node.tell(&["CLUSTER", "SETSLOT", &slot, "NODE", &id(to)]);
        }
        // The new node has the slot.
        assert_eq!(take(&store, 1).await.unwrap(), Taken::Used);
        assert_eq!(store.contains(&key(1)).await.unwrap(), Some(false));
        // There was one redirection.
        from.until_info("errorstats", "errorstat_MOVED:count=1");
        // A new client finds it, whichever node it asks first.
        assert_eq!(take(&cluster.store(), 1).await.unwrap(), Taken::Used);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_takes_over_from_a_node_that_died() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let replica = node().unwrap();
    meet(&replica, &cluster.nodes[0]);
    let primary = cluster.nodes.remove(1);
    replica.until_reply(&["CLUSTER", "NODES"], &id(&primary));
    eventually(async || replica.say::<()>(&["CLUSTER", "REPLICATE", &id(&primary)])).await;
    replica.until_info("replication", "master_link_status:up");
    cluster.nodes.push(replica);
    cluster.until_all("cluster_state:ok", 4);
    let (store, other) = (cluster.store(), cluster.store());
    limited(async {
        for number in 0..30 {
            put(&store, number).await.unwrap();
            put(&other, 100 + number).await.unwrap();
        }
        let waited: u64 = primary.tell(&["DBSIZE"]);
        let replica = &cluster.nodes[2];
        eventually(async || match replica.say::<u64>(&["DBSIZE"]) {
            Ok(size) if size == waited => Ok(()),
            other => Err(other),
        })
        .await;
        drop(primary);
        for number in 0..30 {
            let taken = eventually(async || match take(&store, number).await {
                Err(error) if error.code() != Code::StoreUnavailable => panic!("{error}"),
                taken => taken,
            })
            .await;
            // A command whose connection broke was not repeated, and was not executed.
            assert_eq!(taken, record(number));
        }
        // A later client finds it at once.
        for number in 100..130 {
            assert_eq!(take(&other, number).await.unwrap(), record(number));
        }
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_is_down_is_unavailable() {
    let Some(lonely) = node() else { return };
    let url = lonely.url().replace("redis:", "redis+cluster:");
    let store = RedisStore::new(&url).unwrap();
    limited(async {
        assert_eq!(code(&put(&store, 1).await), Code::StoreUnavailable);
        drop(lonely);
        assert_eq!(code(&put(&store, 1).await), Code::StoreUnavailable);
    })
    .await;
}
