//! The executor's side of the runner's protocol, over any pair of streams: a container's attached stream, the pipes of a child.
//!
//! Many calls share one connection. What is under way for each is bounded by its window, so the queues here are bounded by
//! windows, not by channel sizes. A connection that breaks is the end of every call on it ([`ExecutorError::Lost`]).

mod call;
mod file;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oc_runner::protocol::frame::{self, Decoder, Frame};
use oc_runner::protocol::{FileRequest, Kind, Reply, Request, RunRequest, VERSION};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::executor::{ExecutorError, FileAnswer, Place, Running};

/// How long a runner may take to say that it is ready.
const READY: Duration = Duration::from_secs(20);
/// Calls at a time on one connection.
const CALLS: usize = 512;

/// A connection to one runner. Clones share it; it ends with the last clone and the last call.
#[derive(Clone, Debug)]
pub struct Connection {
    link: Arc<Link>,
    _open: Arc<watch::Sender<()>>,
}

/// What calls share.
#[derive(Debug)]
struct Link {
    place: Place,
    next: AtomicU32,
    state: Mutex<State>,
    to: mpsc::UnboundedSender<Vec<u8>>,
}

#[derive(Debug, Default)]
struct State {
    calls: HashMap<u32, mpsc::UnboundedSender<Frame>>,
    lost: Option<String>,
}

impl Connection {
    /// Greets the runner at the other end and starts the tasks that carry frames.
    ///
    /// # Errors
    /// [`ExecutorError::Unavailable`] when it does not answer in the protocol within 20 seconds.
    pub async fn open<R, W>(place: Place, from: R, to: W) -> Result<Self, ExecutorError>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, queue) = mpsc::unbounded_channel();
        let link = Arc::new(Link { place, next: AtomicU32::new(1), state: Mutex::default(), to: sender });
        let (open, closed) = watch::channel(());
        let mut ready = link.register(0)?;
        link.request(0, &Request::Hello { version: VERSION })?;
        tokio::spawn(write_frames(to, queue, Arc::clone(&link), closed));
        tokio::spawn(read_frames(from, Arc::clone(&link)));
        let answer = match timeout(READY, ready.recv()).await {
            Ok(Some(frame)) => frame.parse::<Reply>().map_err(|e| e.to_string()),
            Ok(None) => Err(link.cause()),
            Err(_) => Err("the runner does not answer".to_owned()),
        };
        link.forget(0);
        match answer {
            Ok(Reply::Ready { version: VERSION }) => Ok(Self { link, _open: Arc::new(open) }),
            Ok(Reply::Failed { message, .. }) => Err(ExecutorError::Unavailable { place, cause: message }),
            Ok(other) => {
                Err(ExecutorError::Unavailable { place, cause: format!("the runner said {other:?}") })
            }
            Err(cause) => Err(ExecutorError::Unavailable { place, cause }),
        }
    }

    /// Starts a command.
    ///
    /// # Errors
    /// [`ExecutorError::Lost`] when the connection is gone, [`ExecutorError::Failed`] when the request is too large or too many calls run.
    /// What the runner says about the command comes as its exit.
    pub fn start(&self, run: RunRequest) -> Result<Running, ExecutorError> {
        call::start(self, run)
    }

    /// One file operation; `content` is what a write stores.
    ///
    /// # Errors
    /// As the runner says it, or [`ExecutorError::Lost`].
    pub async fn file(&self, request: FileRequest, content: Vec<u8>) -> Result<FileAnswer, ExecutorError> {
        file::file(self, request, content).await
    }

    /// Whether the runner is gone.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.link.lock().lost.is_some()
    }
}

impl Link {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new call and the frames that come for it.
    fn begin(&self) -> Result<(u32, mpsc::UnboundedReceiver<Frame>), ExecutorError> {
        let mut call = self.next.fetch_add(1, Ordering::Relaxed);
        while call == 0 || self.lock().calls.contains_key(&call) {
            call = self.next.fetch_add(1, Ordering::Relaxed);
        }
        Ok((call, self.register(call)?))
    }

    fn register(&self, call: u32) -> Result<mpsc::UnboundedReceiver<Frame>, ExecutorError> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.lock();
        if let Some(cause) = &state.lost {
            return Err(ExecutorError::Lost { place: self.place, cause: cause.clone() });
        }
        if state.calls.len() >= CALLS {
            let message = format!("{CALLS} calls run already in the {}; try again later", self.place);
            return Err(ExecutorError::Failed { code: "busy".to_owned(), message });
        }
        state.calls.insert(call, sender);
        Ok(receiver)
    }

    fn forget(&self, call: u32) {
        self.lock().calls.remove(&call);
    }

    fn request(&self, call: u32, request: &Request) -> Result<(), ExecutorError> {
        let bytes = frame::request(call, request).map_err(|e| ExecutorError::Failed {
            code: "too-large".to_owned(),
            message: format!("the call cannot be sent to the {}: {e}", self.place),
        })?;
        self.to.send(bytes).map_err(|_| self.lost())
    }

    fn data(&self, call: u32, bytes: &[u8]) {
        if let Ok(bytes) = frame::encode(Kind::Input, call, bytes) {
            // A connection that is gone is noticed where frames are read.
            let _ = self.to.send(bytes);
        }
    }

    fn cause(&self) -> String {
        self.lock().lost.clone().unwrap_or_else(|| "the runner ended".to_owned())
    }

    fn lost(&self) -> ExecutorError {
        ExecutorError::Lost { place: self.place, cause: self.cause() }
    }

    /// The end of the connection: every call hears it because its frames end.
    fn lose(&self, cause: String) {
        let mut state = self.lock();
        state.lost.get_or_insert(cause);
        state.calls.clear();
    }
}

async fn write_frames<W: AsyncWrite + Unpin>(
    mut to: W,
    mut queue: mpsc::UnboundedReceiver<Vec<u8>>,
    link: Arc<Link>,
    mut closed: watch::Receiver<()>,
) {
    loop {
        let bytes = tokio::select! {
            bytes = queue.recv() => bytes,
            // The last handle is gone: the runner ends when its input does.
            _ = closed.changed() => None,
        };
        let Some(mut bytes) = bytes else { break };
        while bytes.len() < 64 * 1024 {
            let Ok(more) = queue.try_recv() else { break };
            bytes.extend_from_slice(&more);
        }
        let written = async {
            to.write_all(&bytes).await?;
            to.flush().await
        };
        if let Err(e) = written.await {
            link.lose(format!("writing to the runner failed: {e}"));
            break;
        }
    }
    let _ = to.shutdown().await;
}

async fn read_frames<R: AsyncRead + Unpin>(mut from: R, link: Arc<Link>) {
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; 64 * 1024];
    let cause = loop {
        match from.read(&mut buffer).await {
            Ok(0) => break "the runner ended".to_owned(),
            Ok(n) => decoder.push(buffer.get(..n).unwrap_or_default()),
            Err(e) => break format!("reading from the runner failed: {e}"),
        }
        if let Err(e) = deliver(&mut decoder, &link) {
            break format!("the runner sent what is no frame: {e}");
        }
    };
    link.lose(cause);
}

fn deliver(decoder: &mut Decoder, link: &Link) -> Result<(), frame::Malformed> {
    while let Some(frame) = decoder.next_frame()? {
        // What comes for a call that is over crossed the end on its way.
        let sender = link.lock().calls.get(&frame.call).cloned();
        if let Some(sender) = sender {
            let _ = sender.send(frame);
        }
    }
    Ok(())
}
