//! Properties that hold for all sequences of events.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Event {
    Pass(Duration),
    Publish { max_age: u64 },
    Break { status: u16 },
    Ask,
    Miss,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (0..5_000_u64).prop_map(|ms| Event::Pass(Duration::from_millis(ms))),
        2 => (0..200_000_u64).prop_map(|seconds| Event::Pass(Duration::from_secs(seconds))),
        1 => (0..200_000_u64).prop_map(|max_age| Event::Publish { max_age }),
        1 => prop_oneof![Just(500), Just(404), Just(429), Just(200)]
            .prop_map(|status| Event::Break { status }),
        4 => Just(Event::Ask),
        1 => Just(Event::Miss),
    ]
}

/// What the broker publishes, and what the client must have fetched.
struct History {
    scene: Scene,
    published: usize,
    max_age: u64,
    broken: bool,
    /// The version last fetched, when, and for how long it is fresh.
    seen: Option<(usize, Duration, Duration)>,
    requests: usize,
    failed_at: Option<Duration>,
    forced_at: Option<Duration>,
}

impl History {
    async fn happen(&mut self, event: &Event) {
        match *event {
            Event::Pass(time) => self.scene.clock.advance(time),
            Event::Publish { max_age } => {
                (self.published, self.max_age, self.broken) = (self.published + 1, max_age, false);
                let header = format!("max-age={max_age}");
                let keys = key_set(&[&self.published.to_string()]);
                self.scene
                    .keys_are(200, &[("cache-control", &header)], &keys);
            }
            Event::Break { status } => {
                self.broken = true;
                self.scene.keys_are(status, &[], "broken");
            }
            Event::Ask => {
                let answer = self.scene.keys().await;
                let stale = self.seen;
                self.look(false).await;
                self.judge(answer, stale);
            }
            Event::Miss => {
                let Ok(seen) = self.scene.keys().await else {
                    return self.look(false).await;
                };
                self.look(false).await;
                let _ = self.scene.documents.refresh_for_key(&seen, "wanted").await;
                self.look(true).await;
            }
        }
    }

    fn now(&self) -> Duration {
        self.scene.documents.fetcher.clock.monotonic()
    }

    /// Records the request, if there was one.
    async fn look(&mut self, forced: bool) {
        self.scene.quiet().await;
        let (now, requests) = (self.now(), self.scene.requests().1);
        assert!(requests - self.requests <= 1, "one request at a time");
        if requests == self.requests {
            return;
        }
        self.requests = requests;
        if let Some(failed_at) = self.failed_at {
            assert!(
                now.saturating_sub(failed_at) >= Duration::from_millis(500),
                "a pause after a failure"
            );
        }
        if forced
            && self
                .seen
                .is_some_and(|(_, at, fresh)| now.saturating_sub(at) < fresh * 4 / 5)
        {
            let age = self.seen.map(|(_, at, _)| now.saturating_sub(at));
            assert!(
                age >= Some(Duration::from_secs(1)),
                "not right after another"
            );
            let between = self
                .forced_at
                .map(|forced_at| now.saturating_sub(forced_at));
            assert!(between.is_none_or(|between| between >= Duration::from_secs(5)));
            self.forced_at = Some(now);
        }
        if self.broken {
            self.failed_at = Some(now);
        } else {
            let fresh = Duration::from_secs(self.max_age.clamp(60, 86_400));
            self.seen = Some((self.published, now, fresh));
            self.failed_at = None;
        }
    }

    fn judge(&self, answer: Result<Arc<KeySet>>, before: Option<(usize, Duration, Duration)>) {
        let now = self.now();
        let usable = |(_, at, fresh): (usize, Duration, Duration)| now < at + fresh + DAY;
        let Ok(keys) = answer else {
            assert!(self.failed_at.is_some(), "no error without a failure");
            assert!(
                !before.is_some_and(usable),
                "no error while a document may serve"
            );
            return;
        };
        let version: usize = ids(&keys)[0].parse().unwrap();
        let known = [before, self.seen].into_iter().flatten();
        let mut served = known.filter(|(candidate, _, _)| *candidate == version);
        assert!(
            served.any(usable),
            "no document outlives its time by more than a day"
        );
    }
}

proptest! {
    #[test]
    fn the_rules_hold_in_every_history(events in prop::collection::vec(event(), 0..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let scene = Scene::without_documents();
            let forever = [("cache-control", "max-age=86400")];
            scene.discovery_is(200, &forever, DISCOVERY);
            scene.discovery().await.unwrap();
            let mut history = History {
                scene,
                published: 0,
                max_age: 0,
                broken: true,
                seen: None,
                requests: 0,
                failed_at: None,
                forced_at: None,
            };
            for event in &events {
                history.happen(event).await;
            }
        });
    }
}
