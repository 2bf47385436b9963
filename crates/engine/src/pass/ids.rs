//! Maps by node id that are quick to look up in: an id ends in a hash of its node's name already (C-NODE-02).

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Things by node id.
pub(crate) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// Node ids.
pub(crate) type IdSet<K> = HashSet<K, BuildHasherDefault<IdHasher>>;

/// Hashes the last bytes of an id. Who makes ids that collide slows down decisions about that one workflow.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut last = [0; 8];
        let taken = bytes.len().min(last.len());
        last[..taken].copy_from_slice(&bytes[bytes.len() - taken..]);
        // The digits of 32 bits: the two that are cut off add little.
        self.0 = (self.0 ^ u64::from_le_bytes(last)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
