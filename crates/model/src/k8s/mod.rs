//! Our own lean Kubernetes types, with the JSON form of Go's API library 0.35.
//!
//! Only what workflows embed, make or watch. Enumerations of Kubernetes are plain text here: clusters add to them.

mod claim;
mod container;
mod meta;
mod object;
mod pod;
mod pod_status;
mod quantity;
mod scheduling;
mod security;
mod value;
mod volume;
mod volume_drivers;

pub use claim::*;
pub use container::*;
pub use meta::*;
pub use object::*;
pub use pod::*;
pub use pod_status::*;
pub use quantity::{Error as QuantityError, Quantity};
pub use scheduling::*;
pub use security::*;
pub use value::{IntOrString, MicroTime, Time};
pub use volume::*;
pub use volume_drivers::*;
