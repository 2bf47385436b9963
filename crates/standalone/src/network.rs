//! How pods are connected when nobody says: with addresses of their own where this machine can give them some, else over
//! its own network, and then the user is told why.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;

use argosy_node::{Bridge, NetworkChoice};

use crate::error::Error;

/// The bridge of a platform that starts; taken away again when nobody takes it over.
pub struct Opened(Option<Arc<Bridge>>);

impl Opened {
    pub fn get(&self) -> Option<&Arc<Bridge>> {
        self.0.as_ref()
    }

    /// From now on it is the node's, which closes it.
    pub fn hand_over(mut self) {
        self.0 = None;
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // Pods of an earlier platform may stand on it.
        if let Some(bridge) = self.0.take().filter(|bridge| bridge.is_free()) {
            bridge.close();
        }
    }
}

/// The bridge for addresses of pods, or why they get none though nobody asked for the host's network.
///
/// # Errors
/// When the user asked for a bridge and it can't be made.
pub async fn open(choice: NetworkChoice, data_dir: &Path) -> Result<(Opened, Option<String>), Error> {
    if choice == NetworkChoice::Host {
        return Ok((Opened(None), None));
    }
    let folder = data_dir.to_owned();
    // It asks the kernel and runs programs.
    let opened = tokio::task::spawn_blocking(move || Bridge::open(&folder)).await;
    let opened = opened.expect("opening a bridge does not panic");
    let why = match opened {
        Ok(bridge) => {
            let bridge = Opened(Some(Arc::new(bridge)));
            let confined = bridge.get().and_then(|bridge| bridge.confined());
            match confined {
                Some(why) if choice == NetworkChoice::Auto => why.to_owned(),
                _ => return Ok((bridge, None)),
            }
        }
        Err(error) if choice == NetworkChoice::Auto => match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
        Err(error) => return Err(Error::Node(error.into())),
    };
    let notice = format!("pods share this machine's network: {why}");
    Ok((Opened(None), Some(notice)))
}
