//! The places of execution of this machine, with a word when a command is given to one.

use std::sync::Arc;

use oc_runner::protocol::{FileRequest, RunRequest};
use oc_sandbox::executor::{Executor, FileAnswer, Pending, Place, Running};
use oc_sandbox::gate::{AuthorizedCall, Executors, HostSession, SandboxSession};

use super::note::Notes;

/// The places.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) inner: Arc<dyn Executors>,
    pub(super) notes: Notes,
}

/// One of them.
#[derive(Debug)]
struct Told {
    inner: Arc<dyn Executor>,
    notes: Notes,
}

impl Watched {
    fn told<'a>(&'a self, got: Pending<'a, Arc<dyn Executor>>) -> Pending<'a, Arc<dyn Executor>> {
        Box::pin(async move {
            let told: Arc<dyn Executor> = Arc::new(Told { inner: got.await?, notes: self.notes.clone() });
            Ok(told)
        })
    }
}

impl Executors for Watched {
    fn engine(&self) -> Pending<'_, ()> {
        self.inner.engine()
    }

    fn container<'a>(&'a self, session: &'a SandboxSession) -> Pending<'a, Arc<dyn Executor>> {
        self.told(self.inner.container(session))
    }

    fn native<'a>(&'a self, session: &'a SandboxSession) -> Pending<'a, Arc<dyn Executor>> {
        self.told(self.inner.native(session))
    }

    fn host<'a>(&'a self, session: &'a HostSession) -> Pending<'a, Arc<dyn Executor>> {
        self.told(self.inner.host(session))
    }
}

impl Executor for Told {
    fn place(&self) -> Place {
        self.inner.place()
    }

    fn start<'a>(&'a self, call: &'a AuthorizedCall, run: RunRequest) -> Pending<'a, Running> {
        Box::pin(async move {
            let running = self.inner.start(call, run).await?;
            self.notes.started();
            Ok(running)
        })
    }

    fn file<'a>(
        &'a self,
        call: &'a AuthorizedCall,
        request: FileRequest,
        content: Vec<u8>,
    ) -> Pending<'a, FileAnswer> {
        self.inner.file(call, request, content)
    }
}
