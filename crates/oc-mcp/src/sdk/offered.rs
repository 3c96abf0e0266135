//! What we offer, as the library asks for it.

use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, GetPromptRequestParams, GetPromptResponse, Implementation,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, ReadResourceRequestParams, ReadResourceResponse,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use tokio::sync::watch;
use tokio::time::{Instant, interval_at};

use super::convert;
use crate::limits;
use crate::offer::{Ask, GivenUp, Offers};

/// The library's handler over [`Offers`].
#[derive(Debug)]
pub(super) struct Offered<O> {
    offers: Arc<O>,
    closing: watch::Receiver<bool>,
    /// Lives as long as a call runs.
    running: watch::Sender<()>,
}

impl<O> Clone for Offered<O> {
    fn clone(&self) -> Self {
        Self {
            offers: Arc::clone(&self.offers),
            closing: self.closing.clone(),
            running: self.running.clone(),
        }
    }
}

/// Ends calls that still run, and waits for their end.
#[derive(Debug)]
pub(super) struct Closer {
    closing: watch::Sender<bool>,
    running: watch::Receiver<()>,
}

impl Closer {
    /// Tells every call to end, and waits a while.
    pub async fn close(mut self) {
        self.closing.send_replace(true);
        let ended = async { while self.running.changed().await.is_ok() {} };
        // What does not end in time ends with the process.
        let _ = tokio::time::timeout(limits::STOP, ended).await;
    }
}

impl<O: Offers> Offered<O> {
    /// A handler, and what ends its calls. The closer waits until every copy of the handler is gone.
    pub fn new(offers: Arc<O>) -> (Self, Closer) {
        let (closing, seen) = watch::channel(false);
        let (running, done) = watch::channel(());
        (Self { offers, closing: seen, running }, Closer { closing, running: done })
    }

    fn given_up(&self, context: &RequestContext<RoleServer>) -> GivenUp {
        let cancelled = context.ct.clone();
        let mut closing = self.closing.clone();
        Box::pin(async move {
            let closed = async {
                if closing.wait_for(|closed| *closed).await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = cancelled.cancelled() => {}
                () = closed => {}
            }
        })
    }

    async fn asked<P: Serialize + Send, R: DeserializeOwned>(
        &self,
        ask: Ask,
        parameters: P,
        context: &RequestContext<RoleServer>,
    ) -> Result<R, ErrorData> {
        let parameters = match serde_json::to_value(parameters) {
            Ok(Json::Object(members)) => members,
            Ok(_) | Err(_) => Map::new(),
        };
        let given_up = self.given_up(context);
        let answer =
            self.offers.ask(ask, parameters, given_up).await.map_err(|fault| convert::error(&fault))?;
        serde_json::from_value(answer).map_err(|_| {
            ErrorData::internal_error("the answer cannot be written as the protocol wants it", None)
        })
    }
}

impl<O: Offers> ServerHandler for Offered<O> {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities =
            ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build();
        let kinds = self.offers.kinds();
        if kinds.resources {
            capabilities.resources = Some(Default::default());
        }
        if kinds.prompts {
            capabilities.prompts = Some(Default::default());
        }
        let mut info = ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("openclaw", env!("CARGO_PKG_VERSION")));
        info.instructions = self.offers.instructions();
        info
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.offers.tools().await.map_err(|fault| convert::error(&fault))?;
        Ok(ListToolsResult::with_all_items(tools.into_iter().map(convert::tool).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let token = context.meta.get_progress_token();
        let given_up = self.given_up(&context);
        let arguments = request.arguments.unwrap_or_default();
        let call = self.offers.call(request.name.into_owned(), arguments, given_up);
        tokio::pin!(call);
        let mut ticks = interval_at(Instant::now() + limits::PROGRESS, limits::PROGRESS);
        let mut told = 0.0;
        let done = loop {
            tokio::select! {
                done = &mut call => break done,
                _ = ticks.tick() => {
                    let Some(token) = &token else { continue };
                    told += 1.0;
                    let progress =
                        ProgressNotificationParam::new(token.clone(), told).with_message(self.offers.waiting());
                    // Who does not listen misses it.
                    let _ = tokio::time::timeout(limits::STOP, context.peer.notify_progress(progress)).await;
                }
            }
        };
        let reply = done.map_err(|fault| convert::error(&fault))?;
        Ok(CallToolResponse::Complete(convert::result(reply)?))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.asked(Ask::Resources, request, &context).await
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        self.asked(Ask::ResourceTemplates, request, &context).await
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let result = self.asked(Ask::ReadResource, request, &context).await?;
        Ok(ReadResourceResponse::Complete(result))
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.asked(Ask::Prompts, request, &context).await
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let result = self.asked(Ask::GetPrompt, request, &context).await?;
        Ok(GetPromptResponse::Complete(result))
    }
}
