//! Custom metrics of templates and the workflow, as values (C-MET-10).

use argosy_model::{ConditionType, Metrics, NodeStatus, Prometheus, Template, WorkflowPhase};
use jiff::Timestamp;

use super::Pass;
use crate::decision::{Effect, Metric, MetricKind};
use crate::vars::{self, Level, Vars};

impl Pass<'_> {
    /// Emits the metrics of a node that completed in this pass.
    pub fn emit_node_metrics(&mut self, id: &str, template: &Template) {
        let Some(metrics) = template.metrics.clone() else {
            return;
        };
        let Some(node) = self.nodes.get(id).cloned() else {
            return;
        };
        let new = self.nodes.before(id).is_none_or(|n| !crate::node::fulfilled(n));
        if !new || !self.measured.insert(id.to_owned()) {
            return;
        }
        self.emit(&metrics, &self.metric_scope(&node));
        self.follow(&metrics, Some(&node));
    }

    /// Begins to show how long a node that is at work has been running, where its template asks for that.
    pub fn follow_node(&mut self, id: &str, template: &Template) {
        // Asked first: this is called for every node of every pass.
        if !self.is_to_be_followed(id, template) {
            return;
        }
        let node = self.nodes.get(id).filter(|n| !crate::node::fulfilled(n)).cloned();
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
        let mut scope = Vars::new();
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
        for (resource, secs) in &node.resources_duration {
            scope.insert(
                format!("resourcesDuration.{resource}"),
                vars::text(secs.to_string()),
            );
        }
        scope
    }

    /// Emits the workflow's metrics at its end.
    pub fn workflow_metrics(&mut self) {
        let Some(metrics) = self.spec.metrics.clone() else {
            return;
        };
        self.set_global("workflow.status", self.status.phase.to_string());
        self.emit(&metrics, &Vars::new());
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
