//! The controller's ConfigMap: read at the start, followed afterwards. A change that is not usable is refused, and the
//! last good one stays.

use std::collections::BTreeMap;

use anyhow::Context;
use argosy_engine::Config;
use argosy_model::k8s::ConfigMap;
use kube::Client;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tracing::{debug, error, info, warn};

use crate::api::{self, Failure};
use crate::settings::Settings;
use crate::watch::{Event, Everything, Scope, Seen};

/// Where the ConfigMap is, and the settings under it.
#[derive(Clone)]
pub struct Source {
    pub client: Client,
    /// The controller's own namespace.
    pub namespace: String,
    /// Name of the ConfigMap.
    pub name: String,
    /// What the command line and the environment say.
    pub base: Config,
}

impl Source {
    /// Reads the configuration once. Without the ConfigMap, everything is as by default.
    ///
    /// # Errors
    /// When it can't be read or is faulty.
    pub async fn read(&self) -> anyhow::Result<Settings> {
        let found = api::get::<ConfigMap>(&self.client, &api::CONFIG_MAPS, &self.namespace, &self.name).await;
        let data = match found {
            Ok(map) => map.data,
            Err(Failure::NotFound(_)) => {
                warn!(configmap = %self.name, namespace = %self.namespace, "No ConfigMap; everything is as by default");
                BTreeMap::new()
            }
            Err(failure) => {
                return Err(failure)
                    .with_context(|| format!("reading ConfigMap {}/{}", self.namespace, self.name));
            }
        };
        let settings = Settings::read(&data, &self.base)
            .with_context(|| format!("ConfigMap {}/{}", self.namespace, self.name))?;
        tell_ineffective(&settings);
        Ok(settings)
    }

    /// Follows the ConfigMap and hands on every usable change, until nobody listens any more.
    pub async fn follow(self, changes: watch::Sender<Settings>) {
        let (sender, mut events) = mpsc::channel(16);
        let scope = Scope {
            resource: &api::CONFIG_MAPS,
            namespace: Some(self.namespace.clone()),
            labels: String::new(),
            fields: format!("metadata.name={}", self.name),
            optional: true,
        };
        let watching = crate::watch::run::<ConfigMap>(self.client.clone(), scope, Everything, sender);
        let taking = async {
            // What was read at the start comes again with the first list.
            let mut last: Option<BTreeMap<String, String>> = None;
            while let Some(event) = events.recv().await {
                let map = match event {
                    Event::Listed(seen) => seen.into_iter().next(),
                    Event::Applied(seen) => Some(seen),
                    Event::Deleted(_) => {
                        warn!(configmap = %self.name, "The ConfigMap is gone; its last content stays in force");
                        None
                    }
                };
                if let Some(Seen::Good(map)) = map
                    && last.as_ref() != Some(&map.data)
                {
                    last = Some(map.data.clone());
                    self.take(&map, &changes).await;
                }
            }
        };
        tokio::select! {
            () = watching => {}
            () = taking => {}
            () = changes.closed() => {}
        }
    }

    async fn take(&self, map: &ConfigMap, changes: &watch::Sender<Settings>) {
        match Settings::read(&map.data, &self.base) {
            Ok(settings) => {
                let news = format!("{:?}", *changes.borrow()) != format!("{settings:?}");
                if news {
                    info!(configmap = %self.name, version = %map.metadata.resource_version, "Configuration changed");
                    tell_ineffective(&settings);
                    changes.send_replace(settings);
                }
            }
            Err(fault) => {
                let text = crate::watch::chain(&fault.into());
                error!(configmap = %self.name, error = %text, "Configuration refused; the last good one stays in force");
                self.complain(map, &text).await;
            }
        }
    }

    /// Says it where who changed the ConfigMap will look.
    async fn complain(&self, map: &ConfigMap, text: &str) {
        let time = argosy_model::k8s::Time(jiff::Timestamp::now());
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"generateName": format!("{}.", self.name), "namespace": self.namespace},
            "involvedObject": {
                "apiVersion": "v1", "kind": "ConfigMap", "name": self.name, "namespace": self.namespace,
                "uid": map.metadata.uid, "resourceVersion": map.metadata.resource_version,
            },
            "type": "Warning", "reason": "ConfigurationRefused",
            "message": format!("The last good configuration stays in force: {text}"),
            "source": {"component": "workflow-controller"}, "reportingComponent": "workflow-controller",
            "firstTimestamp": time, "lastTimestamp": time, "count": 1,
        });
        let made = api::create::<_, Value>(&self.client, &api::EVENTS, &self.namespace, &event).await;
        if let Err(failure) = made {
            debug!(error = %failure, "Event not written");
        }
    }
}

fn tell_ineffective(settings: &Settings) {
    if !settings.ineffective.is_empty() {
        warn!(keys = %settings.ineffective.join(", "), "Keys of the configuration without effect in this release");
    }
}
