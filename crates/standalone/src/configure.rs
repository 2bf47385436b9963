//! Settings of the controller from a file of the user's: the ConfigMap that a controller on a cluster reads, or only what
//! is in it.

use std::collections::BTreeMap;

use argosy_controller::settings::{self, Settings};
use argosy_engine::Config;
use argosy_model::yaml;
use serde_json::Value;

use crate::options::Options;

/// Why a file is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is no YAML.
    #[error("it is no YAML")]
    Yaml(#[from] yaml::Error),
    /// A ConfigMap whose values are no texts.
    #[error("the values of a ConfigMap are texts; the one of {0} is none")]
    NoText(String),
    /// Its keys are not those of the controller.
    #[error(transparent)]
    Settings(#[from] settings::Error),
}

impl Options {
    /// Takes the settings of a file; gives the keys that are set and have no effect on one machine.
    ///
    /// # Errors
    /// When it is not the controller's configuration. Nothing is taken then.
    pub fn configure(&mut self, text: &str) -> Result<Vec<&'static str>, ConfigError> {
        let Settings {
            engine,
            limits,
            namespace,
            conduct,
            metrics: _,
            mut ineffective,
        } = Settings::read(&data(text)?, &Config::default())?;
        if namespace.is_some() {
            ineffective.push("namespace");
        }
        self.config = engine;
        self.limits = limits;
        self.conduct = conduct;
        Ok(ineffective)
    }
}

/// What the ConfigMap holds.
fn data(text: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let whole = yaml::value(text)?;
    if whole["kind"] != "ConfigMap" {
        return Ok(BTreeMap::from([("config".to_owned(), text.to_owned())]));
    }
    let values = whole["data"].as_object().cloned().unwrap_or_default();
    let text_of = |(key, value): (String, Value)| match value {
        Value::String(text) => Ok((key, text)),
        _ => Err(ConfigError::NoText(key)),
    };
    values.into_iter().map(text_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_map_in_both_layouts_and_its_content_are_taken() {
        for text in [
            "initlessPod: {enabled: true}\nparallelism: 3\n",
            "kind: ConfigMap\ndata: {config: '{initlessPod: {enabled: true}, parallelism: 3}'}\n",
            "kind: ConfigMap\ndata:\n  initlessPod: |\n    enabled: true\n  parallelism: '3'\n",
        ] {
            let mut options = Options::default();
            assert_eq!(options.configure(text).expect(text), Vec::<&str>::new());
            assert!(options.config.initless_pod, "{text}");
            assert_eq!(options.limits.global, 3, "{text}");
        }
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        for (text, wanted) in [
            ("a: [", "it is no YAML"),
            ("initlessPods: {}", "initlessPods"),
            (
                "kind: ConfigMap\ndata: {parallelism: 3}",
                "the one of parallelism is none",
            ),
        ] {
            let error = Options::default().configure(text).expect_err(text);
            assert!(error.to_string().contains(wanted), "{error}");
        }
        let told = Options::default().configure("namespace: argo");
        assert_eq!(told.expect("it is read"), ["namespace"]);
    }
}
