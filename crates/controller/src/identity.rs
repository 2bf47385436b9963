//! Which object in which version a text is about, found without reading all of it: most of what a watch tells is known.
//!
//! Not here: what is known (see `world`).

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// Which object in which version something is about.
#[derive(Debug, Default, PartialEq)]
pub struct Identity {
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Which of those that had or will have this name.
    pub uid: String,
    /// Its version.
    pub resource_version: String,
    /// What it belongs to; `None` without labels.
    pub owner: Option<Owner>,
}

/// The label that says what an object belongs to.
#[derive(Debug, Deserialize, Default, PartialEq)]
pub struct Owner {
    /// The name of its workflow, empty when it has none.
    #[serde(rename = "workflows.argoproj.io/workflow", default)]
    pub workflow: String,
}

impl Identity {
    /// That of an object's text; of what is no object, as much as there is.
    pub fn of(text: &str) -> Self {
        let mut who = Self::default();
        // That the rest is not read is an error, too.
        let _ = Object(&mut who).deserialize(&mut serde_json::Deserializer::from_str(text));
        who
    }

    /// Whether nothing more is to be found. The namespace comes before the uid, in Go's order as in that of letters.
    fn is_whole(&self) -> bool {
        let texts = [&self.name, &self.uid, &self.resource_version];
        self.owner.is_some() && texts.iter().all(|text| !text.is_empty())
    }
}

/// Finds the metadata of an object, and ends.
struct Object<'w>(&'w mut Identity);

/// Reads metadata until nothing more is wanted.
struct Metadata<'w>(&'w mut Identity);

macro_rules! seed {
    ($($seed:ident),*) => {$(
        impl<'de> DeserializeSeed<'de> for $seed<'_> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
                source.deserialize_map(self)
            }
        }
    )*};
}
seed!(Object, Metadata);

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        #[derive(Deserialize)]
        #[serde(field_identifier, rename_all = "camelCase")]
        enum Key {
            Metadata,
            #[serde(other)]
            Other,
        }
        while let Some(key) = entries.next_key()? {
            match key {
                Key::Metadata => return entries.next_value_seed(Metadata(self.0)),
                Key::Other => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Metadata<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("metadata")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        #[derive(Deserialize)]
        #[serde(field_identifier, rename_all = "camelCase")]
        enum Key {
            Namespace,
            Name,
            Uid,
            ResourceVersion,
            Labels,
            #[serde(other)]
            Other,
        }
        let who = self.0;
        while let Some(key) = entries.next_key()? {
            match key {
                Key::Namespace => who.namespace = entries.next_value()?,
                Key::Name => who.name = entries.next_value()?,
                Key::Uid => who.uid = entries.next_value()?,
                Key::ResourceVersion => who.resource_version = entries.next_value()?,
                Key::Labels => who.owner = Some(entries.next_value()?),
                Key::Other => drop(entries.next_value::<IgnoredAny>()?),
            }
            if who.is_whole() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_identified_by_the_start_of_its_text() {
        let check = |text: &str, wanted: [&str; 4], owner: Option<&str>| {
            let [namespace, name, uid, version] = wanted.map(str::to_owned);
            let wanted = Identity {
                namespace,
                name,
                uid,
                resource_version: version,
                owner: owner.map(|workflow| Owner {
                    workflow: workflow.to_owned(),
                }),
            };
            assert_eq!(Identity::of(text), wanted, "{text}");
        };
        let label = r#""labels":{"a":"b","workflows.argoproj.io/workflow":"w"}"#;
        let go = format!(
            r#"{{"kind":"Pod","metadata":{{"name":"p","namespace":"n","uid":"u","resourceVersion":"7",{label}"#
        );
        check(&go, ["n", "p", "u", "7"], Some("w"));
        let letters = format!(
            r#"{{"metadata":{{"annotations":{{}},{label},"name":"p","namespace":"n","resourceVersion":"7","uid":"u"}}}}"#
        );
        check(&letters, ["n", "p", "u", "7"], Some("w"));
        check(r#"{"metadata":{"resourceVersion":"7"}}"#, ["", "", "", "7"], None);
        check(
            r#"{"metadata":{"name":"p","uid":"u","resourceVersion":"7","labels":{}},"spec":1}"#,
            ["", "p", "u", "7"],
            Some(""),
        );
        for text in ["", "1", "{}", r#"{"metadata":1}"#, r#"{"metadata":{"name":1}}"#] {
            check(text, ["", "", "", ""], None);
        }
    }
}
