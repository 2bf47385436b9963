//! `agent init`: one token for each executor plugin, by which it knows the agent (X-XPL-04).

use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::outcome::Failure;
use crate::paths::Layout;
use crate::text::failed;

/// Letters and digits that are not mistaken for others and spell no words.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Characters of a token.
const LENGTH: usize = 32;

/// Makes a folder with a token for each plugin container. One that has a token keeps it: the init
/// container of a restarted pod runs again, while plugins may have read theirs.
///
/// # Errors
/// A folder or token that cannot be made.
pub fn make(layout: &Layout, names: &[String]) -> Result<i32, Failure> {
    crate::sys::clear_umask();
    for name in names {
        let folder = layout.shared().join(name);
        make_folder(&folder).map_err(|e| Failure::new(failed("mkdir", &folder, &e)))?;
        let path = folder.join("token");
        write(&path).map_err(|e| Failure::new(failed("write", &path, &e)))?;
    }
    Ok(0)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    match std::fs::DirBuilder::new().mode(0o770).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn write(path: &Path) -> io::Result<()> {
    if path.metadata().is_ok_and(|m| m.len() == LENGTH as u64) {
        return Ok(());
    }
    let fresh = path.with_extension("new");
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o440)
        .open(&fresh)?;
    file.write_all(token()?.as_bytes())?;
    std::fs::rename(&fresh, path)
}

fn token() -> io::Result<String> {
    use std::io::Read as _;
    // Bytes from the largest multiple of the alphabet's length on would favour its first letters.
    let fair = u8::MAX - u8::MAX % LETTERS.len() as u8;
    let mut source = std::fs::File::open("/dev/urandom")?;
    let mut token = String::with_capacity(LENGTH);
    let mut bytes = [0_u8; 64];
    while token.len() < LENGTH {
        source.read_exact(&mut bytes)?;
        let letters = bytes.iter().filter(|b| **b < fair);
        let letters = letters.map(|b| char::from(LETTERS[usize::from(*b) % LETTERS.len()]));
        token.extend(letters.take(LENGTH - token.len()));
    }
    Ok(token)
}
