//! Custom metrics of templates and the workflow, as values (C-MET-10).

use argosy_model::{ConditionType, Metrics, Prometheus, Template};

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
        self.emit(&metrics, &scope);
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
        for metric in metrics.prometheus.iter() {
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

    fn value_of(&self, metric: &Prometheus, scope: &Vars) -> Result<Option<Metric>, String> {
        let name = &metric.name;
        if metric.help.is_empty() {
            return Err(format!(
                "metric '{name}' must contain a help string under 'help: ' field"
            ));
        }
        let metric: Prometheus =
            vars::substitute(metric, &[scope, &self.globals], Level::StrictAll).map_err(|e| e.to_string())?;
        if !metric.when.is_empty() && !vars::when(&metric.when)? {
            return Ok(None);
        }
        let (kind, text) = if let Some(gauge) = &metric.gauge {
            let operation = match gauge.operation.as_str() {
                "" => "Set",
                other => other,
            };
            let realtime = gauge.realtime == Some(true);
            if realtime {
                return Ok(None);
            }
            (
                MetricKind::Gauge {
                    operation: operation.to_owned(),
                    realtime,
                },
                &gauge.value,
            )
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
            return Err(format!("metric '{name}' has no kind"));
        };
        let value = text
            .trim()
            .parse::<f64>()
            .map_err(|_| format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"))?;
        let labels = metric
            .labels
            .iter()
            .map(|l| (l.key.clone(), l.value.clone()))
            .collect();
        Ok(Some(Metric {
            name: metric.name.clone(),
            help: metric.help.clone(),
            labels,
            kind,
            value,
        }))
    }
}
