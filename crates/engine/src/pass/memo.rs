//! Memoization: looking up and saving outputs (section 20).

use argosy_model::{MemoizationStatus, NodePhase, Outputs, Template};
use serde::{Deserialize, Serialize};

use super::template::Call;
use super::{Pass, Stop, labels};
use crate::decision::Effect;
use crate::{duration, vars};

/// One entry of a cache (C-MEM-02).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "nodeID")]
    node_id: String,
    outputs: Option<Outputs>,
    creation_timestamp: argosy_model::k8s::Time,
    last_hit_timestamp: argosy_model::k8s::Time,
}

impl Pass<'_> {
    /// Looks a new node up in its cache; a hit ends it at once (C-MEM-01, C-MEM-04).
    pub fn look_up_memo(&mut self, id: &str, call: &Call<'_>, template: &Template) -> Result<(), Stop> {
        let Some(memo) = &template.memoize else {
            return Ok(());
        };
        let cache = memo
            .cache
            .as_ref()
            .and_then(|c| c.config_map.as_ref())
            .map_or("", |c| c.name.as_str());
        let fits = |key: &str| {
            let mut chars = key.chars();
            chars.next().is_some_and(|c| c.is_ascii_alphanumeric())
                && chars.all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        if !fits(&memo.key) {
            return self.refuse_memo(call, format!("invalid cache key: {}", memo.key));
        }
        let entry = match self.load_memo(cache, &memo.key) {
            Ok(entry) => entry,
            Err(message) => return self.refuse_memo(call, message),
        };
        let mut hit = entry.filter(|e| !e.node_id.is_empty());
        if !memo.max_age.is_empty() {
            let limit = match duration::parse_go(&memo.max_age) {
                Ok(limit) => limit,
                Err(error) => return self.refuse_memo(call, format!("invalid maxAge: {error}")),
            };
            hit = hit.filter(|e| self.now.duration_since(e.creation_timestamp.0) <= limit);
        }
        let status = MemoizationStatus {
            hit: hit.is_some(),
            key: memo.key.clone(),
            cache_name: cache.to_owned(),
        };
        if self.nodes.get(id).is_none() {
            let phase = if hit.is_some() {
                NodePhase::Succeeded
            } else {
                NodePhase::Pending
            };
            let kind = self.node_type(template);
            self.add_executable(call, call.name, kind, template, phase, "");
        }
        self.change(id, |n| n.memoization_status = Some(status));
        if let Some(hit) = hit {
            self.change(id, |n| n.outputs = hit.outputs.clone());
            self.mark(id, NodePhase::Succeeded, None);
            if self
                .nodes
                .get(id)
                .is_some_and(|n| crate::node::has_progress(&n.type_))
            {
                self.change(id, |n| n.progress = n.progress.complete());
            }
            let touched = Entry {
                last_hit_timestamp: argosy_model::k8s::Time(self.now),
                ..hit
            };
            self.write_memo(id, cache, &memo.key, &touched);
        }
        Ok(())
    }

    fn refuse_memo(&mut self, call: &Call<'_>, message: String) -> Result<(), Stop> {
        self.error_or_add(call, &message);
        Err(Stop::Error(message))
    }

    fn load_memo(&self, cache: &str, key: &str) -> Result<Option<Entry>, String> {
        let parse = |text: &str| {
            serde_json::from_str(text)
                .map(Some)
                .map_err(|error| vars::go_json_error(text, &error))
                .map_err(|e| format!("malformed cache entry: could not unmarshal JSON; unable to parse: {e}"))
        };
        if let Some(text) = self.memos.get(&(cache.to_owned(), key.to_owned())) {
            return parse(text);
        }
        let Some(map) = self.seen.config_maps.get(&self.seen.config.namespace, cache) else {
            return Ok(None);
        };
        match map.metadata.labels.get(labels::CONFIG_MAP_TYPE) {
            Some(kind) if kind == "Cache" => {}
            Some(_) => {
                return Err(format!(
                    "memoization configmap doesn't have label {} = Cache, refusing to use it",
                    labels::CONFIG_MAP_TYPE
                ));
            }
            None => {
                return Err(format!(
                    "memoization configmap doesn't have {} label, refusing to use it",
                    labels::CONFIG_MAP_TYPE
                ));
            }
        }
        let Some(text) = map.data.get(key) else {
            return Ok(None);
        };
        parse(text)
    }

    /// Saves the outputs of a node that missed its cache and has succeeded (C-MEM-05).
    pub fn save_memo(&mut self, id: &str) {
        let Some(node) = self.nodes.get(id).cloned() else {
            return;
        };
        let Some(status) = node.memoization_status.as_ref().filter(|m| !m.hit) else {
            return;
        };
        let time = argosy_model::k8s::Time(self.now);
        let entry = Entry {
            node_id: node.id.clone(),
            outputs: node.outputs.clone(),
            creation_timestamp: time,
            last_hit_timestamp: time,
        };
        let (cache, key) = (status.cache_name.clone(), status.key.clone());
        self.write_memo(id, &cache, &key, &entry);
    }

    fn write_memo(&mut self, id: &str, cache: &str, key: &str, entry: &Entry) {
        let entry = argosy_model::go_json::to_string(entry).expect("wire types are always valid JSON");
        self.memos
            .insert((cache.to_owned(), key.to_owned()), entry.clone());
        self.effect(Effect::SaveMemo {
            node_id: id.to_owned(),
            config_map: cache.to_owned(),
            key: key.to_owned(),
            entry,
        });
    }
}
