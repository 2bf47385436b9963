//! One thing that is wrong: the peer's text, where it is, and what may help.

use argosy_model::decode::{Step, nearest, path_text};

/// Something that is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What is wrong, in the peer's words.
    pub message: String,
    /// Where in the object; empty for the whole. `argosy_model::yaml` finds the line for it.
    pub place: Vec<Step>,
    /// What may help.
    pub hint: Option<String>,
    /// The place starts at the object's root; nothing more goes before it.
    rooted: bool,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: Vec::new(),
            hint: None,
            rooted: false,
        }
    }

    /// Puts a text before the message.
    pub(super) fn within(mut self, prefix: &str) -> Self {
        self.message = format!("{prefix}{}", self.message);
        self
    }

    /// Puts a place around the place of the fault, unless that starts at the root already.
    pub(super) fn at(mut self, outer: &[Place<'_>]) -> Self {
        if !self.rooted {
            self.place.splice(0..0, outer.iter().map(Place::step));
        }
        self
    }

    /// Like [`Fault::at`], and the place now starts at the root.
    pub(super) fn rooted_at(self, outer: &[Place<'_>]) -> Self {
        Self {
            rooted: true,
            ..self.at(outer)
        }
    }

    /// Forgets the place, which is in another object.
    pub(super) fn elsewhere(self) -> Self {
        Self {
            place: Vec::new(),
            rooted: false,
            ..self
        }
    }

    /// Moves a place in a workflow's spec to that in a cron workflow's.
    pub(super) fn in_workflow_spec(mut self) -> Self {
        let inner = self.place.split_off(usize::from(!self.place.is_empty()));
        self.place = vec![Step::Key("spec".into()), Step::Key("workflowSpec".into())];
        self.place.extend(inner);
        Self { rooted: true, ..self }
    }

    /// Adds the nearest of the known words as a hint.
    pub(super) fn maybe<'a>(mut self, word: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.collect();
        self.hint = nearest(word, &known).map(|near| format!("did you mean \"{near}\"?"));
        self
    }

    /// The place as text, such as `spec.templates[0].steps[1][0]`.
    #[must_use]
    pub fn path(&self) -> String {
        path_text(&self.place)
    }
}

/// One step of a place, as code writes it down.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    Key(&'static str),
    Name(&'a str),
    Index(usize),
}

impl Place<'_> {
    fn step(&self) -> Step {
        match self {
            Self::Key(key) => Step::Key((*key).into()),
            Self::Name(name) => Step::Key((*name).to_owned().into()),
            Self::Index(index) => Step::Index(*index),
        }
    }
}
