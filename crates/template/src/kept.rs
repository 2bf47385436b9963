//! What was compiled or read last, so that a text that comes again is not parsed again. Bounded: compiled things in two
//! generations, of which the older one is forgotten when the younger one is full; documents by what they take.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::text::Text;

/// Longer texts than this are compiled each time: they would fill the memory, and reading them is not what costs.
const LONGEST: usize = 8 << 10;

/// Compiled things by their texts.
#[derive(Debug)]
pub(crate) struct Kept<V> {
    /// How many things a generation holds.
    most: usize,
    generations: Mutex<Generations<V>>,
}

/// Found by a quick hash: this is looked at for every tag. Nothing depends on its order, and texts made to collide cost a walk
/// through what is kept, which is bounded.
type Texts<V> = FxHashMap<String, V>;

#[derive(Debug)]
struct Generations<V> {
    young: Texts<V>,
    old: Texts<V>,
}

impl<V: Clone> Kept<V> {
    /// Nothing yet; at most twice this many things later.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            generations: Mutex::new(Generations {
                young: Texts::with_hasher(FxBuildHasher),
                old: Texts::with_hasher(FxBuildHasher),
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

/// Shorter documents are read each time: that takes no longer than looking for them.
const SHORTEST: usize = 256;

/// How many bytes the texts of the documents of a kind have together. What is read of them takes up to 30 times as much.
const BYTES: usize = 1 << 20;

/// How many documents of a kind are looked through.
const DOCUMENTS: usize = 64;

/// What was read of documents: a parameter that holds one is read by every item of a loop, and in every pass.
#[derive(Debug)]
pub(crate) struct Documents<V> {
    /// What was asked for last comes first.
    last: Mutex<VecDeque<(Text, V)>>,
}

impl<V: Clone> Documents<V> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self {
            last: Mutex::new(VecDeque::new()),
        }
    }

    /// What is kept of the text, or what is read now.
    ///
    /// # Errors
    /// Those of `read`; they are not kept.
    pub fn get(&self, text: &Text, read: impl FnOnce(&[u8]) -> Result<V, String>) -> Result<V, String> {
        if !(SHORTEST..=BYTES).contains(&text.bytes().len()) {
            return read(text.bytes());
        }
        if let Some(known) = self.known(text) {
            return Ok(known);
        }
        let made = read(text.bytes())?;
        let forgotten = self.put(text, made.clone());
        drop(forgotten);
        Ok(made)
    }

    fn known(&self, text: &Text) -> Option<V> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let at = last.iter().position(|(known, _)| known == text)?;
        let found = last.remove(at)?;
        let value = found.1.clone();
        last.push_front(found);
        Some(value)
    }

    /// Gives what had to make room, so that it is not taken apart under the lock.
    fn put(&self, text: &Text, value: V) -> VecDeque<(Text, V)> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.push_front((text.clone(), value));
        let mut bytes = 0;
        let mut fits = |(text, _): &(Text, V)| {
            bytes += text.bytes().len();
            bytes <= BYTES
        };
        let kept = last
            .iter()
            .take(DOCUMENTS)
            .map_while(|d| fits(d).then_some(()))
            .count();
        last.split_off(kept)
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

    #[test]
    fn documents_are_read_once_while_there_is_room() {
        let (documents, read) = (Documents::new(), std::cell::Cell::new(0));
        let get = |text: &str| {
            documents.get(&text.into(), |bytes| {
                read.set(read.get() + 1);
                Ok(bytes.len())
            })
        };
        let (a, b, large) = ("a".repeat(300), "b".repeat(300), "c".repeat(BYTES));
        for (text, reads) in [
            (&a, 1),
            (&b, 2),
            (&a, 2),
            (&large, 3),
            (&large, 3),
            (&a, 4),
            (&large, 5),
        ] {
            assert_eq!((get(text), read.get()), (Ok(text.len()), reads));
        }
    }
}
