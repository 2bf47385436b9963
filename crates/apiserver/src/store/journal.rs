//! Where writes are kept beyond the process: one SQLite file, written by one thread in groups.
//!
//! Deliberately absent: reading while running. The core holds everything; the file is read once, at the start.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use super::Signals;
use super::core::{Change, ChangeKind, Key, Resource};

/// The form of the file; a file of another form is refused.
const FORM: i64 = 1;
/// Writes in one transaction at most: at 2 KiB an object 2 MiB, which a disk takes in some milliseconds.
const GROUP: usize = 1024;
/// How long to wait before a group that could not be written is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// Why the file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened or read.
    #[error("the store {path} cannot be opened")]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The file cannot be made, or may not be written.
    #[error("the store {path} cannot be written")]
    Denied {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file's contents are broken. It is left as it is.
    #[error("the store {path} is damaged ({said}); restore it from a copy, or move it away to start empty")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the check found.
        said: String,
    },
    /// The file was written by another version.
    #[error("the store {path} has form {found}, and this version reads form {FORM}")]
    OtherForm {
        /// The file.
        path: PathBuf,
        /// The form that it says it has.
        found: i64,
    },
    /// Another process uses the file.
    #[error("the store {path} is in use by another process")]
    InUse {
        /// The file.
        path: PathBuf,
    },
}

/// What a file held at the start.
#[derive(Debug, Default)]
pub struct Kept {
    /// The last revision.
    pub revision: u64,
    /// Every object: its resource, place, revision and text.
    pub objects: Vec<(Resource, Key, u64, Vec<u8>)>,
    /// Named texts beside the objects, for example keys.
    pub notes: Vec<(String, String)>,
}

struct Record {
    resource: Resource,
    change: Arc<Change>,
}

/// The writing end of the file.
pub struct Journal {
    records: Mutex<Option<Sender<Record>>>,
    stuck: Arc<AtomicBool>,
    closing: Arc<AtomicBool>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Journal {
    /// Opens (or makes) the file, reads it, and starts its thread.
    ///
    /// # Errors
    /// [`Error`] when the file cannot be used; it is left as it is.
    pub fn open(path: &Path, signals: Arc<Signals>) -> Result<(Self, Kept), Error> {
        let failed = |source| Error::Open {
            path: path.to_owned(),
            source,
        };
        make_private(path).map_err(|error| Error::Denied {
            path: path.to_owned(),
            source: error,
        })?;
        let connection = Connection::open_with_flags(path, OpenFlags::default()).map_err(failed)?;
        prepare(&connection, path)?;
        let kept = read(&connection).map_err(failed)?;
        let (sender, receiver) = mpsc::channel();
        let (stuck, closing) = (Arc::default(), Arc::default());
        let writer = Writer {
            connection,
            signals,
            stuck: Arc::clone(&stuck),
            closing: Arc::clone(&closing),
        };
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run(&receiver));
        let thread = thread.map_err(|error| Error::Damaged {
            path: path.to_owned(),
            said: error.to_string(),
        })?;
        let journal = Journal {
            records: Mutex::new(Some(sender)),
            stuck,
            closing,
            thread: Mutex::new(Some(thread)),
        };
        Ok((journal, kept))
    }

    /// Takes a change to be written. Changes must come in the order of their revisions.
    ///
    /// The queue has no bound of its own: every request waits for its change, so the number of requests bounds it.
    pub fn append(&self, resource: &Resource, change: &Arc<Change>) {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(records) = records.as_ref() {
            // The thread ends only when this sender is dropped.
            let _ = records.send(Record {
                resource: resource.clone(),
                change: change.clone(),
            });
        }
    }

    /// Whether writes are refused at the moment, by the disk or for good.
    pub fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed) || self.closing.load(Ordering::Relaxed)
    }
}

impl Journal {
    /// Writes what is left, and closes the file: all of it is in one file again then. Later changes are refused. What
    /// a full disk does not take is given up; nobody was told that it is safe.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        drop(self.records.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("The store's thread panicked");
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

/// Keeps a named text in a file that no journal has open.
///
/// # Errors
/// What SQLite says.
pub fn note(path: &Path, name: &str, text: &str) -> Result<(), Error> {
    let failed = |source| Error::Open {
        path: path.to_owned(),
        source,
    };
    let connection = Connection::open(path).map_err(failed)?;
    prepare(&connection, path)?;
    let sql = "INSERT OR REPLACE INTO notes (name, text) VALUES (?1, ?2)";
    connection.execute(sql, params![name, text]).map_err(failed)?;
    Ok(())
}

/// Makes the file if it is missing, for its owner alone: it holds keys and Secrets. SQLite gives its other files the
/// same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    options.open(path).map(drop)
}

fn prepare(connection: &Connection, path: &Path) -> Result<(), Error> {
    let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => Error::InUse {
            path: path.to_owned(),
        },
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => Error::Damaged {
            path: path.to_owned(),
            said: source.to_string(),
        },
        _ => Error::Open {
            path: path.to_owned(),
            source,
        },
    };
    // The exclusive lock is taken with the first write and held until the connection ends.
    connection
        .pragma_update(None, "locking_mode", "EXCLUSIVE")
        .map_err(failed)?;
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .map_err(failed)?;
    connection
        .pragma_update(None, "synchronous", "NORMAL")
        .map_err(failed)?;
    let said: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(failed)?;
    if said != "ok" {
        return Err(Error::Damaged {
            path: path.to_owned(),
            said,
        });
    }
    let form: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(failed)?;
    match form {
        0 | FORM => {}
        found => {
            return Err(Error::OtherForm {
                path: path.to_owned(),
                found,
            });
        }
    }
    let tables = format!(
        "BEGIN IMMEDIATE;
        CREATE TABLE IF NOT EXISTS objects (
            resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
            revision INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (resource, namespace, name)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS revision (only INTEGER PRIMARY KEY CHECK (only = 1), last INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
        INSERT OR IGNORE INTO revision (only, last) VALUES (1, 1);
        PRAGMA user_version = {FORM};
        COMMIT;"
    );
    connection.execute_batch(&tables).map_err(failed)
}

fn read(connection: &Connection) -> rusqlite::Result<Kept> {
    let last: i64 = connection.query_row("SELECT last FROM revision", [], |row| row.get(0))?;
    let mut kept = Kept {
        revision: last.cast_unsigned(),
        ..Kept::default()
    };
    let mut notes = connection.prepare("SELECT name, text FROM notes ORDER BY name")?;
    kept.notes = notes
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut objects = connection.prepare("SELECT resource, namespace, name, revision, value FROM objects")?;
    let rows = objects.query_map([], |row| {
        let (resource, namespace, name): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let revision: i64 = row.get(3)?;
        Ok((
            Resource::from(resource),
            Key::new(&namespace, &name),
            revision.cast_unsigned(),
            row.get(4)?,
        ))
    })?;
    kept.objects = rows.collect::<Result<_, _>>()?;
    Ok(kept)
}

struct Writer {
    connection: Connection,
    signals: Arc<Signals>,
    stuck: Arc<AtomicBool>,
    closing: Arc<AtomicBool>,
}

impl Writer {
    fn run(mut self, records: &Receiver<Record>) {
        while let Ok(first) = records.recv() {
            let mut group = vec![first];
            group.extend(records.try_iter().take(GROUP - 1));
            while let Err(error) = self.write(&group) {
                // Nothing is told to anyone until the disk takes it; writers are refused meanwhile.
                if !self.stuck.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "The store cannot be written; writes are refused until it can");
                }
                if self.closing.load(Ordering::Relaxed) {
                    tracing::error!("The store was closed before it could be written");
                    return;
                }
                std::thread::sleep(RETRY);
            }
            if self.stuck.swap(false, Ordering::Relaxed) {
                tracing::info!("The store can be written again");
            }
            let last = group.last().map_or(0, |record| record.change.revision());
            let resources: BTreeSet<Resource> = group.into_iter().map(|record| record.resource).collect();
            self.signals.settled(last, &resources);
        }
    }

    fn write(&mut self, group: &[Record]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut put = transaction.prepare_cached(
                "INSERT OR REPLACE INTO objects (resource, namespace, name, revision, value) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            let mut remove = transaction
                .prepare_cached("DELETE FROM objects WHERE resource = ?1 AND namespace = ?2 AND name = ?3")?;
            for Record { resource, change } in group {
                let Key { namespace, name } = &change.object.key;
                if change.kind == ChangeKind::Deleted {
                    remove.execute(params![&**resource, &**namespace, &**name])?;
                } else {
                    let revision = change.revision().cast_signed();
                    put.execute(params![
                        &**resource,
                        &**namespace,
                        &**name,
                        revision,
                        &*change.object.bytes
                    ])?;
                }
            }
            let last = group.last().map_or(0, |record| record.change.revision());
            transaction.execute("UPDATE revision SET last = ?1", params![last.cast_signed()])?;
        }
        transaction.commit()
    }
}
