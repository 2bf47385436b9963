//! Archives from nobody in particular, and the S3 driver against the S3 server.

mod archives;
mod s3;
