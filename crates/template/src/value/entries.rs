//! The entries of a map with text keys: sorted, in one piece, made once and read often.

use std::collections::BTreeMap;

use super::Value;
use crate::text::Text;

/// Up to this many entries are looked through one after the other.
const FEW: usize = 8;

/// Keys and values in the order of the keys, each key once.
#[derive(Clone, Debug, Default)]
pub struct Entries(Box<[(Text, Value)]>);

impl Entries {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&Value> {
        let at = if self.0.len() <= FEW {
            self.0.iter().position(|(k, _)| k.bytes() == key)
        } else {
            self.0.binary_search_by(|(k, _)| k.bytes().cmp(key)).ok()
        };
        at.map(|at| &self.0[at].1)
    }

    /// Whether there is such a key.
    #[must_use]
    pub fn contains_key(&self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Value)> {
        self.0.iter().map(|(k, v)| (k, v))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &Text> {
        self.0.iter().map(|(k, _)| k)
    }

    /// The same entries as a map that can be changed.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<Text, Value> {
        self.0.iter().cloned().collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<(Text, Value)>> for Entries {
    /// Of equal keys the last counts.
    fn from(mut entries: Vec<(Text, Value)>) -> Self {
        if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|later, kept| {
                let equal = later.0 == kept.0;
                if equal {
                    std::mem::swap(later, kept);
                }
                equal
            });
        }
        Self(entries.into_boxed_slice())
    }
}

impl FromIterator<(Text, Value)> for Entries {
    fn from_iter<I: IntoIterator<Item = (Text, Value)>>(entries: I) -> Self {
        entries.into_iter().collect::<Vec<_>>().into()
    }
}
