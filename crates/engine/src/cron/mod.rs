//! Schedules of cron workflows.

pub mod schedule;
