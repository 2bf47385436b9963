//! Reads ConfigMaps by name, for many who ask at the same time: a thousand new workflows of one namespace ask for the same.
//!
//! Not here: ConfigMaps that are watched (see `feed`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argosy_model::k8s::ConfigMap;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use kube::Client;

use crate::api::{self, Failure};
use crate::world::Key;

/// What came of a reading.
pub type Reading = Arc<Result<ConfigMap, Failure>>;

/// Reads ConfigMaps. Who asks while a reading is under way gets the answer of the next one, with all others who asked
/// meanwhile: no answer is older than its question.
#[derive(Clone)]
pub struct Maps {
    client: Client,
    lines: Arc<Mutex<BTreeMap<Key, Line>>>,
}

/// Who waits to read one of them.
#[derive(Default)]
struct Line {
    /// Held while it is read.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// The reading that has not begun.
    next: Option<Shared<BoxFuture<'static, Reading>>>,
}

impl Maps {
    /// Reads by this client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            lines: Arc::default(),
        }
    }

    /// A ConfigMap as it is now, or was after this was called.
    pub async fn get(&self, namespace: &str, name: &str) -> Reading {
        let key = Key::new(namespace, name);
        let next = {
            let mut lines = self.lines();
            let line = lines.entry(key.clone()).or_default();
            let turn = line.turn.clone();
            let next = line
                .next
                .get_or_insert_with(|| self.clone().read(key, turn).boxed().shared());
            next.clone()
        };
        next.await
    }

    async fn read(self, key: Key, turn: Arc<tokio::sync::Mutex<()>>) -> Reading {
        let _held = turn.lock().await;
        if let Some(line) = self.lines().get_mut(&key) {
            line.next = None;
        }
        let answer = api::get(&self.client, &api::CONFIG_MAPS, &key.namespace, &key.name).await;
        let mut lines = self.lines();
        if lines.get(&key).is_some_and(|line| line.next.is_none()) {
            lines.remove(&key);
        }
        Arc::new(answer)
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<Key, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures::future::join_all;
    use http::{Request, Response};
    use kube::client::Body;

    use super::*;

    /// A client whose answers take a second and tell when they were begun, by number.
    fn numbered() -> (Client, Arc<AtomicUsize>) {
        let begun = Arc::new(AtomicUsize::new(0));
        let count = begun.clone();
        let service = tower::service_fn(move |_: Request<Body>| {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let text = format!(r#"{{"metadata": {{"name": "m"}}, "data": {{"number": "{number}"}}}}"#);
                Ok::<_, tower::BoxError>(Response::new(Body::from(text.into_bytes())))
            }
        });
        (Client::new(service, "default"), begun)
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_meanwhile_gets_the_next_answer_together() {
        let (client, begun) = numbered();
        let maps = Maps::new(client);
        let ask = |after_millis: u64| {
            let maps = maps.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(after_millis)).await;
                begun_of(&maps.get("n", "m").await)
            }
        };
        let answers = join_all([0, 100, 200, 900, 1100, 5000, 5000].map(ask)).await;
        assert_eq!(answers, [1, 2, 2, 2, 3, 4, 5]);
        assert_eq!(begun.load(Ordering::SeqCst), 5);
        assert!(maps.lines().is_empty(), "nothing is kept");
    }

    fn begun_of(reading: &Reading) -> usize {
        let map = reading.as_ref().as_ref().expect("it answers");
        map.data["number"].parse().expect("a number")
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_keeps_nobody_waiting() {
        let (client, _) = numbered();
        let maps = Maps::new(client);
        for _ in 0..3 {
            let gone = tokio::time::timeout(Duration::from_millis(10), maps.get("n", "m"));
            assert!(gone.await.is_err(), "an answer takes a second");
        }
        let answer = tokio::time::timeout(Duration::from_secs(3), maps.get("n", "m")).await;
        assert!(answer.is_ok());
    }
}
