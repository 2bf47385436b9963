//! What options of a command change in a workflow before it is submitted: names, parameters, labels.

use argosy_model::{AnyString, Parameter, Workflow, go_json, yaml};
use serde_json::Value;

/// Changes to a workflow; what is empty or `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Its name.
    pub name: String,
    /// The start of its generated name.
    pub generate_name: String,
    /// The template it starts with.
    pub entrypoint: String,
    /// Arguments, by name, in the order given.
    pub parameters: Vec<(String, String)>,
    /// The account its pods run as.
    pub service_account: String,
    /// Further labels.
    pub labels: Vec<(String, String)>,
    /// Its priority.
    pub priority: Option<i32>,
}

/// Why options can't be understood.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A parameter without an equals sign.
    #[error("expected parameter of the form: NAME=VALUE. Received: {0}")]
    Parameter(String),
    /// Labels that are no list of pairs.
    #[error(
        "expected labels of the form: NAME1=VALUE2,NAME2=VALUE2. Received: {0}: unexpected label spec: {1}"
    )]
    Labels(String, String),
    /// A parameter file that is no YAML or JSON.
    #[error("{file}:{}:{}: {}", error.at.line, error.at.column, error.message)]
    File {
        /// Its name.
        file: String,
        /// What is wrong.
        error: yaml::Error,
    },
    /// A parameter file that holds no object.
    #[error("{0}: expected an object of parameter names and values")]
    NoObject(String),
}

/// Reads `NAME=VALUE`.
///
/// # Errors
/// When there is no equals sign.
pub fn parameter(text: &str) -> Result<(String, String), Error> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| Error::Parameter(text.to_owned()))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Reads `k=v,k=v`; empty text is no label.
///
/// # Errors
/// When a part has not exactly one equals sign.
pub fn labels(text: &str) -> Result<Vec<(String, String)>, Error> {
    let pair = |part: &str| match part.split('=').collect::<Vec<_>>()[..] {
        [key, value] => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Error::Labels(text.to_owned(), part.to_owned())),
    };
    if text.is_empty() {
        Ok(Vec::new())
    } else {
        text.split(',').map(pair).collect()
    }
}

/// Reads a file of parameters: an object whose texts are taken as they are and whose other values are taken as JSON.
///
/// # Errors
/// When the text is no YAML or no object.
pub fn parameter_file(name: &str, text: &str) -> Result<Vec<(String, String)>, Error> {
    let value = yaml::value(text).map_err(|error| Error::File {
        file: name.to_owned(),
        error,
    })?;
    let Value::Object(map) = value else {
        return Err(Error::NoObject(name.to_owned()));
    };
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => go_json::to_string(other).unwrap_or_default(),
    };
    Ok(map
        .iter()
        .map(|(key, value)| (key.clone(), plain(value)))
        .collect())
}

impl Overrides {
    /// Adds the parameters of a file; those given by name before count more.
    pub fn add_file(&mut self, parameters: Vec<(String, String)>) {
        for (name, value) in parameters {
            if self.parameters.iter().all(|(known, _)| *known != name) {
                self.parameters.push((name, value));
            }
        }
    }

    /// Changes the workflow.
    pub fn apply(&self, workflow: &mut Workflow) {
        let set = |field: &mut String, value: &str| {
            if !value.is_empty() {
                value.clone_into(field);
            }
        };
        set(&mut workflow.metadata.generate_name, &self.generate_name);
        set(&mut workflow.metadata.name, &self.name);
        if self.name.is_empty() && !self.generate_name.is_empty() {
            workflow.metadata.name.clear();
        }
        set(&mut workflow.spec.entrypoint, &self.entrypoint);
        set(&mut workflow.spec.service_account_name, &self.service_account);
        workflow.metadata.labels.extend(self.labels.iter().cloned());
        if self.priority.is_some() {
            workflow.spec.priority = self.priority;
        }
        let given = &self.parameters;
        let parameters = &mut workflow.spec.arguments.parameters;
        parameters.retain(|p| given.iter().all(|(name, _)| *name != p.name));
        let new = given.iter().map(|(name, value)| Parameter {
            name: name.clone(),
            value: Some(AnyString(value.clone())),
            ..Parameter::default()
        });
        parameters.splice(0..0, new);
    }
}

#[cfg(test)]
mod tests {
    use argosy_model::{Parameter, Workflow};

    use super::{Overrides, labels, parameter, parameter_file};

    #[test]
    fn given_parameters_come_first_and_replace() {
        let mut workflow = Workflow::default();
        workflow.spec.arguments.parameters = ["a", "b"]
            .map(|n| Parameter {
                name: n.to_owned(),
                ..Parameter::default()
            })
            .to_vec();
        let mut overrides = Overrides {
            parameters: vec![parameter("b=x=y").unwrap()],
            ..Overrides::default()
        };
        overrides.add_file(parameter_file("p", "{b: 2, c: 3, d: [1, \"<\"], e: yes}").unwrap());
        overrides.apply(&mut workflow);
        let got: Vec<_> = workflow
            .spec
            .arguments
            .parameters
            .iter()
            .map(|p| (p.name.as_str(), p.value.as_deref()))
            .collect();
        let wanted = [
            ("b", Some("x=y")),
            ("c", Some("3")),
            ("d", Some("[1,\"\\u003c\"]")),
            ("e", Some("true")),
            ("a", None),
        ];
        assert_eq!(got, wanted);
    }

    #[test]
    fn wrong_options_say_what_is_expected() {
        assert_eq!(
            parameter("x").unwrap_err().to_string(),
            "expected parameter of the form: NAME=VALUE. Received: x"
        );
        assert!(labels("a=b=c").is_err());
        assert!(parameter_file("p", "[1]").is_err());
    }
}
