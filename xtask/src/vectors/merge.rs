//! Merging of workflows, templates, defaults, pod patches and options of a submission.

use argosy_engine::{plan, pod, submit};
use argosy_model::k8s::{ObjectMeta, PodSpec};
use argosy_model::{Parameter, SubmitOpts, Workflow, WorkflowSpec, go_json};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Verdict;

/// Checks one merge.
pub fn check(_file: &Value, vector: &Value) -> Verdict {
    let ours = merged(vector)?;
    match (ours, vector["err"].as_str(), vector["out"].as_str()) {
        (Ok(text), None, Some(expected)) if text == expected => Ok(()),
        (Err(error), Some(expected), _) if error == expected => Ok(()),
        (ours, error, out) => Err(format!("{ours:?}, expected error {error:?}, value {out:?}")),
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|e| format!("{e}: {value}"))
}

fn written<T: Serialize + ?Sized>(value: &T) -> String {
    go_json::to_string(value).unwrap_or_default()
}

/// Our result, or our error; `Err` outside when the vector can't be read.
fn merged(vector: &Value) -> Result<Result<String, String>, String> {
    let args = &vector["args"];
    Ok(match vector["fn"].as_str().unwrap_or_default() {
        "podSpecPatch" => {
            let mut spec: PodSpec = read(&args[0])?;
            let mut result = Ok(());
            for patch in vector["patches"].as_array().into_iter().flatten() {
                match pod::patch::apply(&spec, patch.as_str().unwrap_or_default()) {
                    Ok(patched) => spec = patched,
                    Err(error) => {
                        result = Err(error.to_string());
                        break;
                    }
                }
            }
            result.map(|()| written(&spec))
        }
        "mergeTo" => {
            let (patch, target): (Workflow, Workflow) = (read(&args[0])?, read(&args[1])?);
            plan::merge_workflow(&patch, &target).map(|w| written(&w))
        }
        "joinSpec" if args[0].is_null() => Ok("null".to_owned()),
        "joinSpec" => {
            let own: WorkflowSpec = read(&args[0])?;
            let (template, defaults): (Option<WorkflowSpec>, Option<WorkflowSpec>) =
                (read(&args[1])?, read(&args[2])?);
            plan::join_spec(&own, template.as_ref(), defaults.as_ref()).map(|s| written(&s))
        }
        "joinMeta" => {
            let (mut own, defaults): (ObjectMeta, ObjectMeta) = (read(&args[0])?, read(&args[1])?);
            plan::join_metadata(&mut own, &defaults);
            Ok(written(&own))
        }
        "mergeParameters" => {
            let layers: Vec<Vec<Parameter>> = read(args)?;
            let layers: Vec<&[Parameter]> = layers.iter().map(Vec::as_slice).collect();
            Ok(written(&plan::merge_parameters(&layers)))
        }
        "submitOpts" => {
            let mut workflow: Workflow = read(&args[0])?;
            let options: SubmitOpts = read(&args[1])?;
            submit::apply(&mut workflow, &options)
                .map(|()| written(&workflow))
                .map_err(|e| e.to_string())
        }
        "validateUserOverrides" => plan::user_overrides(&read(&args[0])?, &[]).map(|()| "\"ok\"".to_owned()),
        "sanitize" => Ok(written(&plan::sanitize(&read(&args[0])?, &[]))),
        other => return Err(format!("unknown function {other}")),
    })
}
