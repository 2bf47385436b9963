//! From arguments to inputs: what a template is given and what it makes of it (C-ARG-01 to C-ARG-04).

use std::sync::Arc;

use argosy_model::{AnyString, Arguments, DagTask, Outputs, Parameter, Template, WorkflowStep};

use super::prepared::Prepared;
use super::steps::StepsContext;
use super::template::Holder;
use super::{Pass, Stop};
use crate::plan::{Base, Kind, kind};
use crate::vars::{self, Level, Vars};
use crate::workings::{MadeOf, VOLATILE};

/// Stands in an argument for an output that is absent (C-ARG-04).
const ABSENT: &str = "__argo-internal.absent-optional-output__";

/// Whether nothing goes into a template but what it is made of: no ConfigMap, and not how long the workflow has run.
fn is_steady(made_of: &MadeOf<'_>) -> bool {
    let inputs = made_of.template.inputs.parameters.iter();
    let mut parameters = inputs.chain(&made_of.arguments.parameters);
    let from_map = |p: &Parameter| {
        p.value_from
            .as_ref()
            .is_some_and(|f| f.config_map_key_ref.is_some())
    };
    let text = argosy_model::go_json::to_string(&**made_of.template).unwrap_or_default();
    // An expression may come by it in other ways.
    let may_read = text.contains("{{=") && text.contains("workflow");
    !parameters.any(from_map) && !may_read && !text.contains(VOLATILE)
}

impl Pass<'_> {
    /// The template of a node with its inputs filled in and all that is known put in (C-ARG-03). One with steps or tasks
    /// is looked at in each decision and kept for the next.
    pub fn prepared(
        &self,
        node: &str,
        template: &Arc<Template>,
        arguments: &Arguments,
        locals: &Vars,
    ) -> Result<Arc<Prepared>, String> {
        let made_of = MadeOf {
            template,
            arguments,
            locals,
            globals: &self.globals,
        };
        self.keep(node, &made_of, || {
            self.process_arguments(template, arguments, locals)
        })
    }

    /// The template of an attempt: with the attempt's variables put in as well (C-RTY-06).
    pub fn prepared_attempt(
        &self,
        node: &str,
        template: &Prepared,
        variables: &Vars,
    ) -> Result<Arc<Prepared>, String> {
        let made_of = MadeOf {
            template: template.shared(),
            arguments: &Arguments::default(),
            locals: variables,
            globals: &Vars::new(),
        };
        self.keep(node, &made_of, || {
            vars::substitute(&**template, &[variables], Level::Lenient).map_err(|e| e.to_string())
        })
    }

    fn keep(
        &self,
        node: &str,
        made_of: &MadeOf<'_>,
        make: impl FnOnce() -> Result<Template, String>,
    ) -> Result<Arc<Prepared>, String> {
        let lasts = matches!(kind(made_of.template), Kind::Steps | Kind::Dag);
        if lasts && let Some(known) = self.plan.workings.get(node, made_of) {
            return Ok(known);
        }
        let prepared = Arc::new(Prepared::new(make()?, &self.plan.beside));
        if lasts && is_steady(made_of) {
            self.plan.workings.put(node, made_of, &prepared);
        }
        Ok(prepared)
    }

    fn process_arguments(
        &self,
        template: &Arc<Template>,
        arguments: &Arguments,
        locals: &Vars,
    ) -> Result<Template, String> {
        let mut processed = (**template).clone();
        for parameter in &mut processed.inputs.parameters {
            self.fill_parameter(parameter, arguments)?;
        }
        for artifact in &mut processed.inputs.artifacts {
            super::artifacts::fill(artifact, arguments)?;
        }
        let first: Template = vars::substitute_owned(processed, &[locals, &self.globals], Level::Lenient)
            .map_err(|e| e.to_string())?;
        for parameter in &first.inputs.parameters {
            if parameter.value.is_none() {
                return Err(format!("inputs.parameters.{} had no value", parameter.name));
            }
        }
        let inputs = self.input_variables(&first);
        vars::substitute_owned(first, &[&inputs, locals, &self.globals], Level::Lenient)
            .map_err(|e| e.to_string())
    }

    fn fill_parameter(&self, parameter: &mut Parameter, arguments: &Arguments) -> Result<(), String> {
        let name = parameter.name.clone();
        if parameter.value.is_none() {
            parameter.value = parameter.default.clone();
        }
        let mut absent = false;
        if let Some(argument) = arguments.parameters.iter().find(|a| a.name == name) {
            match &argument.value {
                Some(value) if value.as_str() == ABSENT => absent = true,
                Some(value) => {
                    parameter.value = Some(value.clone());
                    parameter.value_from = None;
                }
                None => parameter.value_from = argument.value_from.clone(),
            }
        }
        if let Some(from) = &parameter.value_from
            && let Some(reference) = &from.config_map_key_ref
        {
            let put = |text: &str| {
                vars::substitute_text(text, &[&self.globals], Level::Lenient).map_err(|e| e.to_string())
            };
            let (map, key) = (put(&reference.reference.name)?, put(&reference.key)?);
            match (self.config_map_value(&map, &key), &from.default) {
                (Ok(value), _) => parameter.value = Some(AnyString::from(value)),
                (Err(_), Some(default)) => parameter.value = Some(default.clone()),
                (Err(error), None) => {
                    return Err(format!(
                        "unable to retrieve inputs.parameters.{name} from ConfigMap: {error}"
                    ));
                }
            }
        }
        if parameter.value.is_none() && absent {
            return Err(format!(
                "inputs.parameters.{name}: argument references an absent optional (skipped/omitted node output with no default)"
            ));
        }
        if parameter.value.is_none() && parameter.value_from.is_none() {
            return Err(format!("inputs.parameters.{name} was not supplied"));
        }
        Ok(())
    }

    /// `inputs.*` and the paths of outputs (C-VAR-02).
    pub fn input_variables(&self, template: &Template) -> Vars {
        let mut variables = Vars::new();
        let mut set = |name: String, value: String| variables.insert(name, vars::text(value));
        let text = argosy_model::go_json::to_string(&template.inputs.parameters).unwrap_or_default();
        set("inputs.parameters".to_owned(), text);
        for parameter in &template.inputs.parameters {
            if let Some(value) = &parameter.value {
                set(format!("inputs.parameters.{}", parameter.name), value.to_string());
            }
        }
        for artifact in &template.inputs.artifacts {
            if !artifact.path.is_empty() {
                set(
                    format!("inputs.artifacts.{}.path", artifact.name),
                    artifact.path.clone(),
                );
            }
        }
        for artifact in &template.outputs.artifacts {
            if !artifact.path.is_empty() {
                set(
                    format!("outputs.artifacts.{}.path", artifact.name),
                    artifact.path.clone(),
                );
            }
        }
        for parameter in &template.outputs.parameters {
            if let Some(from) = parameter.value_from.as_ref().filter(|f| !f.path.is_empty()) {
                set(
                    format!("outputs.parameters.{}.path", parameter.name),
                    from.path.clone(),
                );
            }
        }
        variables
    }

    /// What the steps or tasks of a prepared template see from the start, worked out once.
    pub fn inputs_of<'p>(&self, template: &'p Prepared) -> &'p Vars {
        template.variables(|t| self.template_variables(t))
    }

    /// What the steps or tasks of a template see from the start: its inputs.
    fn template_variables(&self, template: &Template) -> Vars {
        let mut variables = self.input_variables(template);
        for artifact in &template.inputs.artifacts {
            variables.insert(
                format!("inputs.artifacts.{}", artifact.name),
                serde_json::json!(artifact),
            );
        }
        variables
    }

    /// A step with everything that is known put in (C-STEP-02).
    pub fn resolve_step(
        &mut self,
        step: &WorkflowStep,
        context: &StepsContext<'_>,
    ) -> Result<WorkflowStep, Stop> {
        self.resolve_step_now(step, context)
            .map_err(|stop| self.settle(stop))
    }

    /// A value that is missing is an error once nothing can give it any more.
    fn settle(&self, stop: Stop) -> Stop {
        match stop {
            Stop::Missing(message) if self.last_resort => Stop::Error(message),
            other => other,
        }
    }

    fn resolve_step_now(
        &mut self,
        step: &WorkflowStep,
        context: &StepsContext<'_>,
    ) -> Result<WorkflowStep, Stop> {
        let hooks = step.hooks.clone();
        let bare = WorkflowStep {
            hooks: Default::default(),
            ..step.clone()
        };
        let loops = super::loops::loops(&bare);
        let (bare, skipped) = self.resolve_when(bare, |s| &mut s.when, loops, &context.vars)?;
        if skipped {
            return Ok(WorkflowStep { hooks, ..bare });
        }
        let arguments = self.mark_absent(&bare.arguments, &context.vars);
        let bare = WorkflowStep { arguments, ..bare };
        let mut resolved: WorkflowStep =
            vars::substitute(&bare, &[&context.vars, &self.globals], Level::Siblings)?;
        self.resolve_argument_artifacts(&mut resolved.arguments, &context.vars, true)
            .map_err(Stop::Error)?;
        resolved.hooks = hooks;
        Ok(resolved)
    }

    /// A task with everything that is known put in (C-DAG-06).
    pub fn resolve_task(&mut self, task: &DagTask, vars: &Vars) -> Result<DagTask, Stop> {
        self.resolve_task_now(task, vars)
            .map_err(|stop| self.settle(stop))
    }

    fn resolve_task_now(&mut self, task: &DagTask, vars: &Vars) -> Result<DagTask, Stop> {
        let hooks = task.hooks.clone();
        let bare = DagTask {
            hooks: Default::default(),
            ..task.clone()
        };
        let loops = super::loops::loops(&bare);
        let (bare, skipped) = self.resolve_when(bare, |t| &mut t.when, loops, vars)?;
        if skipped {
            return Ok(DagTask { hooks, ..bare });
        }
        let arguments = self.mark_absent(&bare.arguments, vars);
        let bare = DagTask { arguments, ..bare };
        let mut resolved: DagTask = vars::substitute(&bare, &[vars, &self.globals], Level::Siblings)?;
        self.resolve_argument_artifacts(&mut resolved.arguments, vars, false)
            .map_err(Stop::Error)?;
        resolved.hooks = hooks;
        Ok(resolved)
    }

    /// Settles `when` before anything else; true when it is false already (C-WHEN-04).
    fn resolve_when<T>(
        &self,
        mut item: T,
        when: impl Fn(&mut T) -> &mut String,
        loops: bool,
        variables: &Vars,
    ) -> Result<(T, bool), Stop> {
        let text = when(&mut item).clone();
        if text.is_empty() {
            return Ok((item, false));
        }
        let resolved = vars::substitute_text(&text, &[variables, &self.globals], Level::Siblings)?;
        let verdict = vars::when(&resolved);
        *when(&mut item) = resolved;
        match verdict {
            Ok(runs) => Ok((item, !runs)),
            // The items of the loop may be what it lacks.
            Err(_) if loops => Ok((item, false)),
            Err(message) => Err(Stop::Error(message)),
        }
    }

    /// Whether a step or task is to run by its resolved `when`.
    pub fn should_run(&self, when: &str) -> Result<bool, String> {
        vars::when(when)
    }

    /// Puts the marker in the place of arguments that are nothing but an absent output.
    fn mark_absent(&self, arguments: &Arguments, variables: &Vars) -> Arguments {
        let mut arguments = arguments.clone();
        for parameter in &mut arguments.parameters {
            let Some(value) = &parameter.value else { continue };
            let tag = value
                .as_str()
                .trim()
                .strip_prefix("{{")
                .and_then(|t| t.strip_suffix("}}"))
                .map(str::trim);
            if let Some(tag) = tag
                && variables.get(tag).is_some_and(serde_json::Value::is_null)
            {
                parameter.value = Some(AnyString::from(ABSENT));
            }
        }
        arguments
    }

    /// The outputs that the template of a holder declares.
    pub fn declared_outputs(&self, base: &Base, holder: &Holder) -> Option<Outputs> {
        self.look_up(base, holder)
            .ok()
            .map(|found| found.template.outputs.clone())
    }
}
