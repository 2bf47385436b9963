//! Response bodies: whole texts, lists joined from stored texts without a copy, and streams.
//!
//! Deliberately absent: HTTP status codes and headers (see `reply`).

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::{BoxStream, Stream};
use http_body::{Frame, SizeHint};

/// What a body's reader gets when a stream breaks off.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a response.
pub struct Body(Form);

enum Form {
    Chunks(VecDeque<Bytes>),
    Stream(BoxStream<'static, Result<Bytes, BoxError>>),
}

impl Body {
    /// A body that is known in whole.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Body(Form::Chunks(VecDeque::from([bytes.into()])))
    }

    /// A body made of several texts, sent one after the other.
    pub fn chunks(chunks: impl IntoIterator<Item = Bytes>) -> Self {
        Body(Form::Chunks(chunks.into_iter().collect()))
    }

    /// A body whose length is not known.
    pub fn stream(stream: impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static) -> Self {
        Body(Form::Stream(Box::pin(stream)))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Form::Chunks(chunks) => Poll::Ready(chunks.pop_front().map(|bytes| Ok(Frame::data(bytes)))),
            Form::Stream(stream) => stream
                .as_mut()
                .poll_next(context)
                .map(|next| next.map(|bytes| bytes.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, Form::Chunks(chunks) if chunks.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Form::Chunks(chunks) => SizeHint::with_exact(chunks.iter().map(|chunk| chunk.len() as u64).sum()),
            Form::Stream(_) => SizeHint::default(),
        }
    }
}
