//! A stream of lines whose longest line is watched: the library drops a line that is too long and goes on, and whoever waits for it would wait
//! until its time is up.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;

/// How many lines were too long.
#[derive(Clone, Debug)]
pub(super) struct TooLong(watch::Receiver<u64>);

impl TooLong {
    /// Ends when another line is too long.
    pub async fn next(mut self) {
        self.0.mark_unchanged();
        if self.0.changed().await.is_err() {
            // The stream is gone; that is told elsewhere.
            std::future::pending::<()>().await;
        }
    }
}

/// The stream.
#[derive(Debug)]
pub(super) struct Metered<R> {
    inner: R,
    limit: usize,
    line: usize,
    too_long: Arc<watch::Sender<u64>>,
}

impl<R> Metered<R> {
    /// Watches a stream. `limit`: bytes of a line, its end counted.
    pub fn new(inner: R, limit: usize) -> (Self, TooLong) {
        let (sender, receiver) = watch::channel(0);
        (Self { inner, limit, line: 0, too_long: Arc::new(sender) }, TooLong(receiver))
    }

    fn count(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let before = self.line;
            self.line = self.line.saturating_add(piece.len());
            if before <= self.limit && self.line > self.limit {
                self.too_long.send_modify(|n| *n += 1);
            }
            if piece.last() == Some(&b'\n') {
                self.line = 0;
            }
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Metered<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let new = buf.filled().get(before..).unwrap_or_default();
        self.count(new);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn each_long_line_counts_once() {
        let text = b"short\n123456789012345\nshort\n1234567890\n12345678901\n";
        let (mut metered, too_long) = Metered::new(&text[..], 11);
        let mut all = Vec::new();
        metered.read_to_end(&mut all).await.unwrap();
        assert_eq!(*too_long.0.borrow(), 2);
    }
}
