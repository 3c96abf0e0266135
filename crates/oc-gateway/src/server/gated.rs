//! A stream that reads no more than so many bytes before its caller is let in (SP-338).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Lifts the limit.
#[derive(Clone, Debug)]
pub struct Opener(Arc<AtomicUsize>);

/// No limit any more.
const OPEN: usize = usize::MAX;

/// The stream.
#[derive(Debug)]
pub struct Gated<S> {
    inner: S,
    left: Arc<AtomicUsize>,
}

impl<S> Gated<S> {
    /// Lets `bytes` through until it is opened.
    pub fn new(inner: S, bytes: usize) -> (Self, Opener) {
        let left = Arc::new(AtomicUsize::new(bytes));
        (Self { inner, left: Arc::clone(&left) }, Opener(left))
    }

    /// The stream itself.
    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }
}

impl Opener {
    /// The caller is in.
    pub fn open(&self) {
        self.0.store(OPEN, Ordering::Release);
    }

    /// Whether the limit was reached.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gated<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.left.load(Ordering::Acquire);
        if left == 0 {
            return Poll::Ready(Err(io::Error::other("more than a handshake needs")));
        }
        if left == OPEN {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        // A handshake is short: a copy through a small buffer costs nothing here.
        let mut bytes = [0u8; 2048];
        let room = left.min(buf.remaining()).min(bytes.len());
        let Some(part) = bytes.get_mut(..room) else { return Poll::Ready(Ok(())) };
        let mut part = ReadBuf::new(part);
        let polled = Pin::new(&mut self.inner).poll_read(cx, &mut part);
        if polled.is_ready() {
            buf.put_slice(part.filled());
            let after = left.saturating_sub(part.filled().len());
            let _ = self.left.compare_exchange(left, after, Ordering::AcqRel, Ordering::Acquire);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gated<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
