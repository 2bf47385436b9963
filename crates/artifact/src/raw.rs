//! Artifacts whose content stands in the workflow itself (rule X-RAW-01).

use std::io::Cursor;
use std::path::Path;

use async_trait::async_trait;

use crate::store::{Error, Store, Stream};

/// A text that is an artifact.
#[derive(Clone, Debug)]
pub struct Raw {
    data: String,
}

impl Raw {
    /// The artifact with this content.
    pub fn new(data: &str) -> Self {
        Self {
            data: data.to_owned(),
        }
    }
}

fn unsupported(what: &str) -> Error {
    Error::Unsupported(format!("{what} not supported for raw artifacts"))
}

#[async_trait]
impl Store for Raw {
    async fn load(&self, target: &Path) -> Result<(), Error> {
        tokio::fs::write(target, &self.data)
            .await
            .map_err(|e| Error::io("write", target, e))
    }

    async fn read(&self) -> Result<Stream, Error> {
        Ok(Box::new(Cursor::new(self.data.clone().into_bytes())))
    }

    async fn save(&self, _source: &Path) -> Result<(), Error> {
        Err(unsupported("save"))
    }

    async fn delete(&self) -> Result<(), Error> {
        Err(Error::Unsupported(
            "delete not supported for this artifact storage (raw)".to_owned(),
        ))
    }

    async fn list(&self) -> Result<Vec<String>, Error> {
        Err(unsupported("list"))
    }

    async fn is_folder(&self) -> Result<bool, Error> {
        Err(unsupported("folder check"))
    }
}
