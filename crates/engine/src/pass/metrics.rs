//! Custom metrics of templates and the workflow, as values (C-MET-10).

use std::collections::BTreeMap;

use argosy_model::{
    ConditionType, Metrics, NodePhase, NodeStatus, NodeType, Prometheus, Template, WorkflowPhase,
};
use jiff::Timestamp;

use super::Pass;
use crate::decision::{Effect, Metric, MetricKind};
use crate::vars::{self, Level, Vars};
use crate::{names, node};

impl Pass<'_> {
    /// Emits the metrics of the nodes that completed in this pass (C-EXE-02, rows 5 and 17).
    pub fn node_metrics(&mut self) {
        let is_new = |n: &NodeStatus| {
            node::fulfilled(n) && self.nodes.before(&n.id).is_none_or(|old| !node::fulfilled(old))
        };
        let ended = self.nodes.touched().filter(|n| is_new(n) && is_measured(n));
        for node in ended.cloned().collect::<Vec<_>>() {
            let template = self.node_template(&node);
            if let Some(metrics) = template.as_ref().and_then(|template| template.metrics.as_ref()) {
                self.emit(metrics, &self.metric_scope(&node));
                self.follow(metrics, Some(&node));
            }
        }
    }

    /// Begins to show how long a node that is at work has been running, where its template asks for that.
    pub fn follow_node(&mut self, id: &str, template: &Template) {
        // Asked first: this is called for every node of every pass.
        if !self.is_to_be_followed(id, template) {
            return;
        }
        let node = self.nodes.get(id).filter(|n| !node::fulfilled(n)).cloned();
        if let (Some(node), Some(metrics)) = (node, &template.metrics) {
            self.follow(metrics, Some(&node));
        }
    }

    /// Whether a node's template asks for gauges in real time that are not shown yet.
    pub fn is_to_be_followed(&self, id: &str, template: &Template) -> bool {
        template.metrics.as_ref().is_some_and(is_followed) && !self.seen.outcomes.followed.contains(id)
    }

    /// Begins to show how long the workflow has been running, where it asks for that.
    pub fn follow_workflow(&mut self) {
        if self.seen.outcomes.followed.contains("") {
            return;
        }
        let metrics = self.spec.metrics.as_ref().filter(|m| is_followed(m)).cloned();
        if let Some(metrics) = metrics {
            self.follow(&metrics, None);
        }
    }

    fn follow(&mut self, metrics: &Metrics, node: Option<&NodeStatus>) {
        let started = self.status.started_at.as_ref().map_or(self.now, |t| t.0);
        let mut clocks = vec![("workflow.duration", started, None)];
        if let Some(node) = node {
            let since = node.started_at.as_ref().map_or(self.now, |t| t.0);
            clocks.push(("duration", since, node.finished_at.as_ref().map(|t| t.0)));
        }
        let scope = node.map_or_else(Vars::new, |node| self.metric_scope(node));
        let id = node.map_or("", |n| n.id.as_str());
        // A fault is told when it is new, not in every pass.
        let is_new = match node {
            Some(node) => self.nodes.before(&node.id).is_none(),
            None => self.wf.status.phase != WorkflowPhase::Running,
        };
        for metric in metrics.prometheus.iter().filter(|m| is_elapsed(m)) {
            match self.elapsed(metric, &scope, &clocks, id) {
                Ok(Some(metric)) => self.effects.push(Effect::Metric(metric)),
                Err(message) if is_new => self.metric_error(&message),
                Ok(None) | Err(_) => {}
            }
        }
    }

    /// The gauge of a clock (C-MET-10).
    fn elapsed(
        &self,
        metric: &Prometheus,
        scope: &Vars,
        clocks: &[(&str, Timestamp, Option<Timestamp>)],
        node_id: &str,
    ) -> Result<Option<Metric>, String> {
        let mut metric = metric.clone();
        let value = metric
            .gauge
            .as_mut()
            .map(|gauge| std::mem::take(&mut gauge.value));
        let value = value.unwrap_or_default();
        let Some(metric) = self.resolved(&metric, scope)? else {
            return Ok(None);
        };
        let name = value.strip_prefix("{{").and_then(|v| v.strip_suffix("}}"));
        let name = name.ok_or("real time metrics can only be used with metric variables")?;
        let clock = clocks.iter().find(|(known, ..)| *known == name);
        let (_, since, until) =
            clock.ok_or_else(|| format!("'{name}' is not available as a real time metric"))?;
        let kind = MetricKind::Elapsed {
            node_id: node_id.to_owned(),
            since: *since,
            until: *until,
        };
        Ok(Some(measured(&metric, kind, 0.0)))
    }

    /// What a node's metrics may refer to.
    fn metric_scope(&self, node: &NodeStatus) -> Vars {
        let mut scope = default_scope();
        scope.insert("node.name".to_owned(), vars::text(node.name.clone()));
        scope.insert("retries".to_owned(), vars::text(self.retries(node).to_string()));
        if node.type_ == NodeType::Pod {
            scope.insert("pod.name".to_owned(), vars::text(self.stored_pod_name(node)));
        }
        let start = node.started_at.as_ref().map_or(self.now, |t| t.0);
        let end = node.finished_at.as_ref().map_or(self.now, |t| t.0);
        let secs = end.duration_since(start).as_secs_f64();
        scope.insert("duration".to_owned(), vars::text(format!("{secs:.6}")));
        scope.insert("status".to_owned(), vars::text(node.phase.to_string()));
        if let Some(inputs) = &node.inputs {
            for parameter in inputs.parameters.iter().filter(|p| p.value.is_some()) {
                let value = parameter
                    .value
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string);
                scope.insert(format!("inputs.parameters.{}", parameter.name), vars::text(value));
            }
        }
        if let Some(outputs) = &node.outputs {
            if let Some(result) = &outputs.result {
                scope.insert("outputs.result".to_owned(), vars::text(result.clone()));
            }
            if let Some(code) = &outputs.exit_code {
                scope.insert("exitCode".to_owned(), vars::text(code.clone()));
            }
            for parameter in outputs.parameters.iter().filter(|p| p.value.is_some()) {
                let value = parameter
                    .value
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string);
                scope.insert(
                    format!("outputs.parameters.{}", parameter.name),
                    vars::text(value),
                );
            }
        }
        let resources = node.resources_duration.iter();
        add_resources(&mut scope, resources.map(|(name, secs)| (name.as_str(), *secs)));
        scope
    }

    /// How often what a node is of was tried again before it.
    fn retries(&self, node: &NodeStatus) -> usize {
        match node.type_ {
            NodeType::Retry => self.nodes.attempts(node).0.saturating_sub(1),
            _ => names::attempt(&node.name)
                .filter(|_| is_attempt(node))
                .map_or(0, |(_, number)| number),
        }
    }

    /// Emits the workflow's metrics at its end.
    pub fn workflow_metrics(&mut self) {
        let Some(metrics) = self.spec.metrics.clone() else {
            return;
        };
        self.set_global("workflow.status", self.status.phase.to_string());
        let mut resources: BTreeMap<&str, i64> = BTreeMap::new();
        for (name, secs) in self.nodes.iter().flat_map(pod_resources) {
            *resources.entry(name).or_default() += secs;
        }
        let mut scope = default_scope();
        add_resources(&mut scope, resources);
        self.emit(&metrics, &scope);
    }

    fn emit(&mut self, metrics: &Metrics, scope: &Vars) {
        for metric in metrics.prometheus.iter().filter(|m| !is_elapsed(m)) {
            match self.value_of(metric, scope) {
                Ok(Some(metric)) => self.effects.push(Effect::Metric(metric)),
                Ok(None) => {}
                Err(message) => self.metric_error(&message),
            }
        }
    }

    fn metric_error(&mut self, message: &str) {
        let old = self
            .status
            .conditions
            .iter()
            .find(|c| c.type_ == ConditionType::MetricsError);
        let message = old.map_or_else(|| message.to_owned(), |c| format!("{}, {message}", c.message));
        self.set_condition(ConditionType::MetricsError, "True", &message);
        self.updated = true;
    }

    /// The metric without tags; `None` if it is not wanted.
    fn resolved(&self, metric: &Prometheus, scope: &Vars) -> Result<Option<Prometheus>, String> {
        if metric.help.is_empty() {
            return Err(format!(
                "metric '{}' must contain a help string under 'help: ' field",
                metric.name
            ));
        }
        let metric: Prometheus =
            vars::substitute(metric, &[scope, &self.globals], Level::StrictAll).map_err(|e| e.to_string())?;
        let is_wanted = metric.when.is_empty() || vars::when(&metric.when)?;
        Ok(is_wanted.then_some(metric))
    }

    fn value_of(&self, metric: &Prometheus, scope: &Vars) -> Result<Option<Metric>, String> {
        let Some(metric) = self.resolved(metric, scope)? else {
            return Ok(None);
        };
        let (kind, text) = if let Some(gauge) = &metric.gauge {
            let operation = match gauge.operation.as_str() {
                "" => "Set",
                other => other,
            };
            let operation = operation.to_owned();
            (MetricKind::Gauge { operation }, &gauge.value)
        } else if let Some(histogram) = &metric.histogram {
            let buckets = histogram
                .buckets
                .iter()
                .map(argosy_model::Amount::value)
                .collect();
            (MetricKind::Histogram { buckets }, &histogram.value)
        } else if let Some(counter) = &metric.counter {
            (MetricKind::Counter, &counter.value)
        } else {
            return Err(format!("metric '{}' has no kind", metric.name));
        };
        let value = text
            .trim()
            .parse::<f64>()
            .map_err(|_| format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"))?;
        Ok(Some(measured(&metric, kind, value)))
    }
}

/// What stands for what a node or the workflow does not have.
fn default_scope() -> Vars {
    let mut scope = Vars::new();
    scope.insert("status".to_owned(), vars::text(NodePhase::Pending.to_string()));
    scope.insert("duration".to_owned(), vars::text("0"));
    add_resources(&mut scope, [("cpu", 0), ("memory", 0)]);
    scope
}

fn add_resources<'r>(scope: &mut Vars, resources: impl IntoIterator<Item = (&'r str, i64)>) {
    let named =
        |(name, secs): (&str, i64)| (format!("resourcesDuration.{name}"), vars::text(secs.to_string()));
    scope.extend(resources.into_iter().map(named));
}

/// What a pod took; other nodes only show the sums of theirs.
fn pod_resources(node: &NodeStatus) -> impl Iterator<Item = (&str, i64)> {
    let own = node
        .resources_duration
        .iter()
        .filter(|_| node.type_ == NodeType::Pod);
    own.map(|(name, secs)| (name.as_str(), *secs))
}

/// Whether a node is of an evaluated template, and of attempts one that failed: the others are told of by what was
/// retried (C-RTY-07).
fn is_measured(node: &NodeStatus) -> bool {
    let evaluated = !matches!(
        node.type_,
        NodeType::Skipped | NodeType::StepGroup | NodeType::TaskGroup | NodeType::Container
    );
    evaluated && (!is_attempt(node) || node::failed_or_error(&node.phase))
}

/// Whether a node is an attempt: what is retried itself may bear the flag of a hook's attempts.
fn is_attempt(node: &NodeStatus) -> bool {
    node.type_ != NodeType::Retry && node.node_flag.as_ref().is_some_and(|flag| flag.retried)
}

fn measured(metric: &Prometheus, kind: MetricKind, value: f64) -> Metric {
    let labels = metric.labels.iter().map(|l| (l.key.clone(), l.value.clone()));
    Metric {
        name: metric.name.clone(),
        help: metric.help.clone(),
        labels: labels.collect(),
        kind,
        value,
    }
}

/// Whether a metric follows the clock.
fn is_elapsed(metric: &Prometheus) -> bool {
    metric
        .gauge
        .as_ref()
        .is_some_and(|gauge| gauge.realtime == Some(true))
}

fn is_followed(metrics: &Metrics) -> bool {
    metrics.prometheus.iter().any(is_elapsed)
}
