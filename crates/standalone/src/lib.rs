//! Options, start order and shutdown of the platform on one machine.
//!
//! [`Platform::start`] runs API, node and controller in this process. The program that uses it must call
//! [`container_main_if_asked`] first thing in `main`, because containers are the same program started again.

mod apply;
mod artifacts;
mod configure;
mod definitions;
mod error;
mod fallback;
mod folder;
mod images;
mod kubelet;
mod network;
mod options;
mod platform;

pub use argosy_apiserver::label_fault;
pub use argosy_node::container_main_if_asked;
pub use argosy_node::images::{Listed as ListedImage, Store as ImageStore};
pub use configure::ConfigError;
pub use error::Error;
pub use folder::write_private;
pub use options::{
    Config, Data, Limits, NetworkChoice, Options, POD_PROGRAMS, PullOptions, RuntimeChoice,
    find_pod_programs, user_data_folder, user_pull_options,
};
pub use platform::Platform;
