//! Tests of the engine through its public functions, one file per area.

mod agent;
mod collect;
mod cron;
mod decide;
mod edit;
mod explain;
mod lost;
mod merge;
mod moved;
mod pod;
mod scope_check;
mod substitution;
mod validate;
