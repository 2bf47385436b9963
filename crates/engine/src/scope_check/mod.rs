//! Warnings about variables: for every template which are in scope and of what kind, and every tag and expression that
//! reads others, or does with one what its kind does not allow.
//!
//! Not the contract's validation (see `validate`): that stops at the first fault, in the peer's words, and lets most
//! expressions through until they run. This finds all of them, and what is found never refuses a workflow: a name
//! may yet be given by someone else.

mod explain;
mod known;

use argosy_model::decode::Step;
use argosy_model::{CronWorkflow, WorkflowSpec};
use argosy_template::diagnose::{self, Diagnosis};
use argosy_template::env::is_function;
use argosy_template::{Expr, Tags, builtins, expr, tags};
use serde_json::{Value, json};

pub use explain::explain;
use known::Known;

/// Something that will probably fail when it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where in the object, from its root.
    pub place: Vec<Step>,
    /// The expression, the place in it, and what was in scope.
    pub diagnosis: Diagnosis,
}

/// Where the spec stands in its object, and who may add parameters to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// All that it reads is in it.
    Workflow,
    /// A workflow made from it may bring parameters of its own.
    Template,
    /// Like a workflow, inside a CronWorkflow.
    Cron,
}

/// Fields whose whole text is an expression.
const EXPRESSIONS: &[&str] = &["expression", "fromExpression"];

/// Begins of tags that are ours; tags that begin otherwise belong to programs inside the container.
const OURS: &[&str] = &[
    "inputs.",
    "outputs.",
    "workflow.",
    "steps.",
    "tasks.",
    "item.",
    "cronworkflow.",
];

/// All findings of a spec (of a cron workflow: see [`check_cron`]): those of its templates in their order, then those beside them. Where `expression_tags` is
/// off, `{{=…}}` is a text (as with `EXPRESSION_TEMPLATES=false` in the controller's environment).
#[must_use]
pub fn check(spec: &WorkflowSpec, of: Of, expression_tags: bool) -> Vec<Finding> {
    let mut root: Vec<Step> = vec![Step::Key("spec".into())];
    if of == Of::Cron {
        root.push(Step::Key("workflowSpec".into()));
    }
    let globals = Known::of_spec(spec, of == Of::Template || spec.workflow_template_ref.is_some());
    let mut found = Vec::new();
    for (i, template) in spec.templates.iter().enumerate() {
        let mut place = root.clone();
        place.extend([Step::Key("templates".into()), Step::Index(i)]);
        let mut walk = Walk {
            known: globals.of_template(template, spec),
            of_template: true,
            expression_tags,
            failure: None,
            place,
            found: &mut found,
        };
        if let Ok(body) = serde_json::to_value(template) {
            walk.value(&body, None);
        }
    }
    let beside = WorkflowSpec {
        templates: Default::default(),
        template_defaults: None,
        ..spec.clone()
    };
    let mut walk = Walk {
        known: globals,
        of_template: false,
        expression_tags,
        failure: None,
        place: root,
        found: &mut found,
    };
    if let Ok(body) = serde_json::to_value(&beside) {
        walk.value(&body, None);
    }
    found
}

/// All findings of a cron workflow: those of the workflow in it, and those of the conditions beside that.
#[must_use]
pub fn check_cron(cron: &CronWorkflow, expression_tags: bool) -> Vec<Finding> {
    let mut found = check(&cron.spec.workflow_spec, Of::Cron, expression_tags);
    let conditions = json!({"when": cron.spec.when, "stopStrategy": cron.spec.stop_strategy});
    Walk {
        known: Known::of_cron(),
        of_template: false,
        expression_tags,
        failure: None,
        place: vec![Step::Key("spec".into())],
        found: &mut found,
    }
    .value(&conditions, None);
    found
}

struct Walk<'w> {
    known: Known,
    of_template: bool,
    expression_tags: bool,
    /// The contract text of something that has failed: only what it is about is reported.
    failure: Option<&'w str>,
    place: Vec<Step>,
    found: &'w mut Vec<Finding>,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value, key: Option<&str>) {
        match value {
            Value::String(text) if key.is_some_and(|k| EXPRESSIONS.contains(&k)) && !text.contains("{{") => {
                self.expression(Expr::cached(text).as_ref());
            }
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.place.push(Step::Index(i));
                    self.value(item, None);
                    self.place.pop();
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    // Templates in templates have scopes of their own.
                    if key == "inline" {
                        continue;
                    }
                    self.place.push(Step::Key(key.clone().into()));
                    self.member(key, member);
                    self.place.pop();
                }
            }
            _ => {}
        }
    }

    /// A member, with what may be read only there.
    fn member(&mut self, key: &str, member: &Value) {
        let more = match key {
            "metrics" => Some(self.known.with_metrics(self.of_template)),
            "data" if self.of_template => Some(self.known.with_data()),
            "http" if self.of_template => {
                self.condition_of_http(&member["successCondition"]);
                None
            }
            _ => None,
        };
        let Some(more) = more else {
            return self.value(member, Some(key));
        };
        let usual = std::mem::replace(&mut self.known, more);
        self.value(member, Some(key));
        self.known = usual;
    }

    fn condition_of_http(&mut self, condition: &Value) {
        let Some(text) = condition.as_str().filter(|text| !text.contains("{{")) else {
            return;
        };
        let with_answer = self.known.with_answer();
        let usual = std::mem::replace(&mut self.known, with_answer);
        self.place.push(Step::Key("successCondition".into()));
        self.expression(Expr::cached(text).as_ref());
        self.place.pop();
        self.known = usual;
    }

    fn text(&mut self, text: &str) {
        if !text.contains("{{") {
            return;
        }
        let Ok(compiled) = Tags::cached(text) else { return };
        for tag in compiled.simple_tags() {
            let name = tag.trim();
            if let Some(message) = self.failure {
                if message.contains(&format!("{{{{{tag}}}}}")) {
                    let diagnosis = Diagnosis {
                        message: message.to_owned(),
                        ..diagnose::substitution(
                            &tags::Error::Unresolved(name.to_owned()),
                            &self.known.scope(),
                        )
                    };
                    self.report(diagnosis);
                }
                continue;
            }
            if OURS.iter().any(|begin| name.starts_with(begin)) && self.known.kind(name).is_none() {
                let error = tags::Error::Unresolved(name.to_owned());
                self.report(diagnose::substitution(&error, &self.known.scope()));
            }
        }
        if self.expression_tags {
            compiled
                .expressions()
                .for_each(|expression| self.expression(expression));
        }
    }

    fn expression(&mut self, expression: Result<&Expr, &expr::Error>) {
        let expression = match expression {
            Ok(expression) => expression,
            Err(error) => {
                if self
                    .failure
                    .is_none_or(|message| message.contains(&error.to_string()))
                {
                    self.report(diagnose::expression(error, &self.known.scope()));
                }
                return;
            }
        };
        let own = expression.declared();
        let unknown: Vec<_> = expression
            .references()
            .iter()
            .filter(|reference| !reference.optional && !self.knows(&reference.name, &own))
            .collect();
        if let Some(message) = self.failure {
            let suspect = unknown.first().copied();
            if let Some(diagnosis) = diagnose::failure(message, expression, suspect, &self.known.scope()) {
                self.report(diagnosis);
            }
            return;
        }
        for reference in &unknown {
            // A part of a name says less than the whole.
            let begin = format!("{}.", reference.name);
            if !unknown.iter().any(|other| other.name.starts_with(&begin)) {
                self.report(diagnose::unknown(expression, reference, &self.known.scope()));
            }
        }
        // Unknown names are told already, all of them.
        if let Err(error) = expression.check_kinds(&self.known)
            && error.unknown.is_none()
        {
            self.report(diagnose::expression(&error, &self.known.scope()));
        }
    }

    fn knows(&self, name: &str, declared: &[String]) -> bool {
        let root = name.split('.').next().unwrap_or_default();
        declared.iter().any(|own| own == root)
            || root == "$env"
            || is_function(name)
            || builtins::known(name).is_some()
            || self.known.kind(name).is_some()
            || self.known.beyond(name)
    }

    fn report(&mut self, diagnosis: Diagnosis) {
        self.found.push(Finding {
            place: self.place.clone(),
            diagnosis,
        });
    }
}
