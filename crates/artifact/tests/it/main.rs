//! Archives from nobody in particular, and the S3 driver against the S3 server.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod archives;
mod s3;
