//! Files of objects: YAML or JSON text in, checked objects out, every fault with its line and column.
//!
//! Not here: where the text comes from (see `input`).

use argosy_model::decode::{self, Step};
use argosy_model::yaml::{self, Document};
use argosy_model::{
    ClusterWorkflowTemplate, CronWorkflow, Field, Workflow, WorkflowArtifactGcTask, WorkflowEventBinding,
    WorkflowTaskResult, WorkflowTaskSet, WorkflowTemplate,
};
use serde::Serialize;
use serde_json::Value;

/// The group and version of the objects that we know.
pub const API_VERSION: &str = "argoproj.io/v1alpha1";

/// A text with the name that faults are reported under.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path, address, or `-`.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// One object of a file.
#[derive(Debug)]
pub enum Object {
    /// A workflow, and where its parts are written.
    Workflow(Box<Workflow>, Box<Document>),
    /// An object of another kind, in its JSON form.
    Other(Value),
}

/// Why a file can't be used. Every line of the text starts with file, line and column.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is neither YAML nor JSON.
    #[error("{file}:{}:{}: {}", error.at.line, error.at.column, error.message)]
    Text {
        /// Name of the source.
        file: String,
        /// What is wrong.
        error: yaml::Error,
    },
    /// Objects that can't be read.
    #[error("{}", .0.join("\n"))]
    Objects(Vec<String>),
}

impl Error {
    /// What to do about it, if that is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Text { error, .. } => error.hint.as_deref(),
            Self::Objects(_) => None,
        }
    }
}

/// Reads every object of a source, in order.
///
/// With `strict`, unknown keys and keys given twice are faults; without it the former are ignored and the last of the
/// latter counts, as in the API server.
///
/// # Errors
/// When the text is no YAML, or an object can't be read.
pub fn objects(source: &Source, strict: bool) -> Result<Vec<Object>, Error> {
    let documents = yaml::documents(&source.text).map_err(|error| Error::Text {
        file: source.name.clone(),
        error,
    })?;
    let (mut objects, mut faults) = (Vec::new(), Vec::new());
    for document in documents {
        if strict {
            let twice =
                |e: &yaml::Error| format!("{}:{}:{}: {}", source.name, e.at.line, e.at.column, e.message);
            faults.extend(document.duplicates.iter().map(twice));
        }
        match object(source, document, strict) {
            Ok(object) => objects.push(object),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() {
        Ok(objects)
    } else {
        Err(Error::Objects(faults))
    }
}

fn object(source: &Source, document: Document, strict: bool) -> Result<Object, Vec<String>> {
    let text = |key: &str| document.value[key].as_str().unwrap_or_default().to_owned();
    let at = document.start();
    let fault = |message: &str| vec![format!("{}:{}:{}: {message}", source.name, at.line, at.column)];
    if !document.value.is_object() {
        return Err(fault("expected an object with apiVersion, kind and metadata"));
    }
    let (kind, version) = (text("kind"), text("apiVersion"));
    if kind.is_empty() {
        return Err(fault(
            "the object has no kind; a workflow starts with `apiVersion: argoproj.io/v1alpha1` and `kind: Workflow`",
        ));
    }
    if version != API_VERSION {
        if kind == "Workflow" {
            return Err(fault(&format!(
                "a Workflow has apiVersion {API_VERSION}, not \"{version}\""
            )));
        }
        return Ok(Object::Other(document.value));
    }
    let checked = match kind.as_str() {
        "Workflow" => match decoded::<Workflow>(&document, strict) {
            Ok(workflow) => return Ok(Object::Workflow(Box::new(workflow), Box::new(document))),
            Err(error) => Err(error),
        },
        "WorkflowTemplate" => other::<WorkflowTemplate>(&document, strict),
        "ClusterWorkflowTemplate" => other::<ClusterWorkflowTemplate>(&document, strict),
        "CronWorkflow" => other::<CronWorkflow>(&document, strict),
        "WorkflowEventBinding" => other::<WorkflowEventBinding>(&document, strict),
        "WorkflowTaskSet" => other::<WorkflowTaskSet>(&document, strict),
        "WorkflowArtifactGCTask" => other::<WorkflowArtifactGcTask>(&document, strict),
        "WorkflowTaskResult" => other::<WorkflowTaskResult>(&document, strict),
        unknown => return Err(fault(&format!("{API_VERSION} has no kind \"{unknown}\""))),
    };
    checked.map_err(|error| {
        error
            .problems
            .iter()
            .map(|p| format!("{}: {p}", place(&source.name, &document, &p.steps)))
            .collect()
    })
}

fn decoded<T: Field>(document: &Document, strict: bool) -> Result<T, decode::Error> {
    if strict {
        decode::strict(document.value.clone())
    } else {
        decode::lenient(document.value.clone())
    }
}

fn other<T: Field + Serialize>(document: &Document, strict: bool) -> Result<Object, decode::Error> {
    let typed: T = decoded(document, strict)?;
    Ok(Object::Other(
        serde_json::to_value(&typed).unwrap_or_else(|_| document.value.clone()),
    ))
}

/// File, line and column of a part of a document.
pub fn place(source: &str, document: &Document, steps: &[Step]) -> String {
    let at = document.position(steps);
    format!("{source}:{}:{}", at.line, at.column)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::{Object, Source, objects};

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a case reads better without a reference"
    )]
    fn check(text: &str, wanted: Expect) {
        let source = Source {
            name: "f.yaml".to_owned(),
            text: text.to_owned(),
        };
        let got = match objects(&source, true) {
            Ok(list) => list
                .iter()
                .map(|o| match o {
                    Object::Workflow(w, _) => format!("Workflow {}\n", w.metadata.name),
                    Object::Other(v) => format!("{} {}\n", v["kind"], v["metadata"]["name"]),
                })
                .collect(),
            Err(error) => format!("{error}\n"),
        };
        wanted.assert_eq(&got);
    }

    const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\n";

    #[test]
    fn documents_become_objects_in_order() {
        let text = format!("{HEAD}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\n---\n");
        check(
            &text,
            expect![[r#"
            Workflow a
            "ConfigMap" "c"
        "#]],
        );
    }

    #[test]
    fn an_unknown_field_is_named_with_its_place_and_the_nearest_known_one() {
        check(
            &format!("{HEAD}spec:\n  entryPoint: main\n"),
            expect![[r#"
            f.yaml:5:3: spec.entryPoint: unknown field; did you mean "entrypoint"?
        "#]],
        );
    }

    #[test]
    fn wrong_yaml_has_line_and_column() {
        check(
            &format!("{HEAD}spec:\n  a: [1,\n"),
            expect![[r#"
            f.yaml:5:6: unclosed bracket '['
        "#]],
        );
    }

    #[test]
    fn wrong_kinds_are_refused() {
        check(
            "kind: Workflow\napiVersion: v1\n",
            expect![[r#"
            f.yaml:1:1: a Workflow has apiVersion argoproj.io/v1alpha1, not "v1"
        "#]],
        );
        check(
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflw\n",
            expect![[r#"
            f.yaml:1:1: argoproj.io/v1alpha1 has no kind "Workflw"
        "#]],
        );
        check(
            "just text\n",
            expect![[r#"
            f.yaml:1:1: expected an object with apiVersion, kind and metadata
        "#]],
        );
        check(
            "apiVersion: v1\n",
            expect![[r#"
            f.yaml:1:1: the object has no kind; a workflow starts with `apiVersion: argoproj.io/v1alpha1` and `kind: Workflow`
        "#]],
        );
    }
}
