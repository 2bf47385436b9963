//! Which images the containers of workflows name.

use std::collections::BTreeSet;

use argosy_model::Workflow;
use serde_json::Value;

/// The images in the templates of these workflows. Those that hold a tag are left out: they are known only at run time.
pub fn of(workflows: &[Workflow]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for workflow in workflows {
        let templates = serde_json::to_value(&workflow.spec.templates);
        let defaults = serde_json::to_value(&workflow.spec.template_defaults);
        for part in [templates, defaults].into_iter().flatten() {
            collect(&part, &mut found);
        }
    }
    found
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(image)) = map.get("image")
                && !image.is_empty()
                && !image.contains("{{")
            {
                found.insert(image.clone());
            }
            map.values().for_each(|inner| collect(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| collect(inner, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_all_kinds_of_containers_are_found_once() {
        let workflow: Workflow = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "w"},
            "spec": {"templates": [
                {"name": "a", "container": {"image": "busybox"}, "sidecars": [{"name": "s", "image": "nginx"}]},
                {"name": "b", "script": {"image": "busybox", "source": "true"}},
                {"name": "c", "container": {"image": "{{inputs.parameters.image}}"}},
                {"name": "d", "dag": {"tasks": [{"name": "t", "inline": {"container": {"image": "alpine"}}}]}},
            ]},
        }))
        .expect("the object is a workflow");
        assert_eq!(
            of(&[workflow]).into_iter().collect::<Vec<_>>(),
            ["alpine", "busybox", "nginx"]
        );
    }
}
