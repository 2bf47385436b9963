//! The manifest of a resource template that the workflow is to own (C-RSC-02).

use argosy_model::{Template, yaml};
use serde_json::{Value, json};

use super::{Error, PodRequest, metadata};

/// Adds the workflow as controlling owner to the manifest, if the template asks for it.
pub(super) fn own(request: &PodRequest<'_>, template: &mut Template) -> Result<(), Error> {
    let Some(resource) = template
        .resource
        .as_mut()
        .filter(|r| r.set_owner_reference && !r.manifest.is_empty())
    else {
        return Ok(());
    };
    let mut object = yaml::value(&resource.manifest).map_err(|error| Error::refused(error.to_string()))?;
    let Value::Object(fields) = &mut object else {
        return Err(Error::refused(
            "the manifest of a resource with setOwnerReference must be one object",
        ));
    };
    let meta = fields.entry("metadata").or_insert_with(|| json!({}));
    let owner = serde_json::to_value(metadata::controlled_by(request.workflow))
        .expect("wire types are always valid JSON");
    match meta
        .as_object_mut()
        .map(|m| m.entry("ownerReferences").or_insert_with(|| json!([])))
    {
        Some(Value::Array(owners)) => owners.push(owner),
        _ => {
            return Err(Error::refused(
                "metadata.ownerReferences of the manifest must be a list",
            ));
        }
    }
    resource.manifest = yaml::value_to_string(&object);
    Ok(())
}
