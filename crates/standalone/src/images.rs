//! Entrypoints for the controller from the node's image store: what has been pulled or imported here is known here.

use std::sync::Arc;

use argosy_controller::Images;
use argosy_engine::config::ImageConfig;
use argosy_node::Node;
use futures::future::BoxFuture;

/// The node's images.
pub struct OfNode(pub Arc<Node>);

impl Images for OfNode {
    fn look_up<'a>(
        &'a self,
        _namespace: &'a str,
        image: &'a str,
        _pull_secrets: &'a [String],
        _service_account: &'a str,
    ) -> BoxFuture<'a, Result<ImageConfig, String>> {
        Box::pin(async move {
            let store = self.0.images().clone();
            let name = image.to_owned();
            let found = tokio::task::spawn_blocking(move || store.image_config(&name))
                .await
                .ok()
                .flatten();
            let found = found.ok_or_else(|| format!("image {image} is not on this machine"))?;
            Ok(ImageConfig {
                entrypoint: found.entrypoint,
                cmd: found.cmd,
            })
        })
    }
}
