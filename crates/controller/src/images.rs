//! What starts in an image when a container names no command. The look-up itself is given from outside: a node's image
//! store, or a registry.

use argosy_engine::config::ImageConfig;
use futures::future::BoxFuture;

/// Knows the entrypoints of images.
pub trait Images: Send + Sync + 'static {
    /// Entrypoint and command of an image, or why they can't be known, in words for the user.
    fn look_up<'a>(
        &'a self,
        namespace: &'a str,
        image: &'a str,
        pull_secrets: &'a [String],
        service_account: &'a str,
    ) -> BoxFuture<'a, Result<ImageConfig, String>>;
}

/// Knows no image: every container must name its command, or the configuration its image.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoImages;

impl Images for NoImages {
    fn look_up<'a>(
        &'a self,
        _namespace: &'a str,
        _image: &'a str,
        _pull_secrets: &'a [String],
        _service_account: &'a str,
    ) -> BoxFuture<'a, Result<ImageConfig, String>> {
        Box::pin(async { Err("no image look-up is configured".to_owned()) })
    }
}
