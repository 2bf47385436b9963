//! Names of locks: the texts in status and messages, and their parts (C-SYN-01).

use std::fmt;

/// Why a text or a reference names no lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Fewer than three parts.
    #[error("Invalid lock key: unknown format")]
    Format,
    /// A ConfigMap lock without its fourth part.
    #[error("Invalid ConfigMap lock key: unknown format")]
    ConfigMapFormat,
    /// The first part is empty.
    #[error("Invalid lock key: Namespace is missing")]
    Namespace,
    /// The third part is empty.
    #[error("Invalid lock key: ResourceName is missing")]
    Resource,
    /// A ConfigMap lock with an empty key.
    #[error("Invalid lock key: Key is missing for ConfigMap lock")]
    Key,
    /// A semaphore that names both of its sources.
    #[error("invalid semaphore with both ConfigMapKeyRef and Database")]
    BothSources,
    /// A semaphore that names none of its sources.
    #[error("cannot get LockName for a Semaphore without a ConfigMapRef or Database")]
    NoSource,
    /// One lock asked for twice.
    #[error("requested configuration is invalid: duplicate synchronization item found")]
    Duplicate,
}

/// What keeps the lock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A semaphore in memory whose limit is in this key of the ConfigMap.
    ConfigMap {
        /// Key of the ConfigMap's data.
        key: String,
    },
    /// A mutex in memory.
    Mutex,
    /// A semaphore or mutex in the database.
    Database,
}

/// The name of a lock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Namespace of the lock, the workflow's unless the reference says otherwise.
    pub namespace: String,
    /// Name of the ConfigMap, mutex or database key.
    pub resource: String,
    /// What keeps the lock.
    pub kind: Kind,
}

impl Name {
    /// Checks that no part is empty.
    ///
    /// # Errors
    /// The first empty part.
    pub fn checked(self) -> Result<Self, Error> {
        if self.namespace.is_empty() {
            return Err(Error::Namespace);
        }
        if self.resource.is_empty() {
            return Err(Error::Resource);
        }
        match &self.kind {
            Kind::ConfigMap { key } if key.is_empty() => Err(Error::Key),
            _ => Ok(self),
        }
    }

    /// Reads the text of a lock's name.
    ///
    /// # Errors
    /// When parts are missing.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = text.splitn(3, '/');
        let (Some(namespace), Some(kind), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::Format);
        };
        let (resource, kind) = match kind {
            "ConfigMap" => {
                let (resource, key) = rest.split_once('/').ok_or(Error::ConfigMapFormat)?;
                (resource, Kind::ConfigMap { key: key.to_owned() })
            }
            "Mutex" => (rest, Kind::Mutex),
            "Database" => (rest, Kind::Database),
            _ => return Err(Error::Format),
        };
        Self {
            namespace: namespace.to_owned(),
            resource: resource.to_owned(),
            kind,
        }
        .checked()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            namespace,
            resource,
            kind,
        } = self;
        match kind {
            Kind::ConfigMap { key } => write!(f, "{namespace}/ConfigMap/{resource}/{key}"),
            Kind::Mutex => write!(f, "{namespace}/Mutex/{resource}"),
            Kind::Database => write!(f, "{namespace}/Database/{resource}"),
        }
    }
}

/// The name of a semaphore in a namespace.
///
/// # Errors
/// When the reference has both sources, none, or an empty part.
pub fn semaphore_name(semaphore: &argosy_model::SemaphoreRef, namespace: &str) -> Result<Name, Error> {
    let (resource, kind) = match (&semaphore.config_map_key_ref, &semaphore.database) {
        (Some(_), Some(_)) => return Err(Error::BothSources),
        (None, None) => return Err(Error::NoSource),
        (Some(reference), None) => (
            reference.reference.name.clone(),
            Kind::ConfigMap {
                key: reference.key.clone(),
            },
        ),
        (None, Some(database)) => (database.key.clone(), Kind::Database),
    };
    Name {
        namespace: namespace.to_owned(),
        resource,
        kind,
    }
    .checked()
}

/// The name of a mutex in a namespace.
///
/// # Errors
/// When a part is empty.
pub fn mutex_name(mutex: &argosy_model::Mutex, namespace: &str) -> Result<Name, Error> {
    let kind = if mutex.database {
        Kind::Database
    } else {
        Kind::Mutex
    };
    Name {
        namespace: namespace.to_owned(),
        resource: mutex.name.clone(),
        kind,
    }
    .checked()
}
