//! Messages of the server: the requests and replies of its REST and gRPC services, in their JSON form.
//!
//! One module per service. Not here: the protobuf form and the routes.

pub mod archive;
pub mod cluster_workflow_template;
pub mod cron_workflow;
pub mod event;
pub mod event_source;
pub mod info;
pub mod sensor;
pub mod sync;
pub mod workflow;
pub mod workflow_template;
