//! What was compiled last, so that a text that comes again is not parsed again. Bounded: two generations, of which the
//! older one is forgotten when the younger one is full.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Longer texts than this are compiled each time: they would fill the memory, and reading them is not what costs.
const LONGEST: usize = 8 << 10;

/// Compiled things by their texts.
#[derive(Debug)]
pub(crate) struct Kept<V> {
    /// How many things a generation holds.
    most: usize,
    generations: Mutex<Generations<V>>,
}

#[derive(Debug)]
struct Generations<V> {
    young: BTreeMap<String, V>,
    old: BTreeMap<String, V>,
}

impl<V: Clone> Kept<V> {
    /// Nothing yet; at most twice this many things later.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            generations: Mutex::new(Generations {
                young: BTreeMap::new(),
                old: BTreeMap::new(),
            }),
        }
    }

    /// What is kept of the text, or what is made now.
    pub fn get(&self, text: &str, make: impl FnOnce(&str) -> V) -> V {
        if text.len() > LONGEST {
            return make(text);
        }
        if let Some(known) = self.known(text) {
            return known;
        }
        // Not under the lock: making one may take long.
        let made = make(text);
        self.put(text, made.clone());
        made
    }

    fn known(&self, text: &str) -> Option<V> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = generations.young.get(text) {
            return Some(known.clone());
        }
        let known = generations.old.remove(text)?;
        drop(generations);
        self.put(text, known.clone());
        Some(known)
    }

    fn put(&self, text: &str, made: V) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.young.len() >= self.most {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(text.to_owned(), made);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_made_once_while_it_is_used_and_forgotten_later() {
        let (kept, made) = (Kept::new(2), std::cell::Cell::new(0));
        let get = |text: &str| {
            kept.get(text, |t| {
                made.set(made.get() + 1);
                t.len()
            })
        };
        for text in ["a", "bb", "a", "ccc", "a", "dddd", "a"] {
            assert_eq!(get(text), text.len());
        }
        assert_eq!(made.get(), 4);
        for text in ["5", "6", "7", "8", "9", "a"] {
            get(text);
        }
        assert_eq!(made.get(), 10);
    }
}
