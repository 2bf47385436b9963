//! Runs workflows without any image at hand: when none of the images they name is here or can be pulled, containers see
//! this machine's own files instead.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use argosy_node::RuntimeChoice;
use argosy_node::images::{PullOptions, Store};

/// How long the first image may take. A registry that can't be reached says so within this time; a pull that takes
/// longer is under way, and then images are what the workflow gets.
const PATIENCE: Duration = Duration::from_secs(20);

/// The runtime to use and, when it is not what images would need, why in words for the user.
pub async fn choose(
    images: &Path,
    wanted: &BTreeSet<String>,
    pull: &PullOptions,
) -> (RuntimeChoice, Option<String>) {
    let Ok(store) = Store::open_in(images, &[]) else {
        return (RuntimeChoice::Auto, None);
    };
    if wanted.is_empty() || wanted.iter().any(|image| matches!(store.get(image), Ok(Some(_)))) {
        return (RuntimeChoice::Auto, None);
    }
    let mut reason = String::new();
    for image in wanted {
        match tokio::time::timeout(PATIENCE, store.pull(image, &[], pull)).await {
            Ok(Ok(_)) | Err(_) => return (RuntimeChoice::Auto, None),
            Ok(Err(error)) => reason = error.to_string(),
        }
    }
    let notice = format!(
        "no image of the workflow can be pulled ({reason}); containers see a private view of this machine's files \
         instead, as with --runtime host"
    );
    (RuntimeChoice::Host, Some(notice))
}
