//! One server that this process started, seen through the library.

use std::future::Future;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientCapabilities, ClientConfig, ClientRequest,
    GetPromptRequest, Implementation, ListPromptsRequest, ListResourceTemplatesRequest, ListResourcesRequest,
    ListToolsRequest, PaginatedRequestParams, ReadResourceRequest, ServerResult,
};
use rmcp::service::{ClientInitializeError, NotificationContext, PeerRequestOptions, RunningService};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{ClientHandler, ErrorData, RoleClient, ServiceError, ServiceExt as _};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::convert;
use super::metered::{Metered, TooLong};
use crate::limits;
use crate::offer::{Ask, Kinds, Reply, ToolOffer};

/// Why a server brought nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// It did not begin as the protocol wants it.
    #[error("it did not begin as the protocol wants it: {0}")]
    NoHandshake(&'static str),
    /// It is gone.
    #[error("it has ended")]
    Gone,
    /// It did not answer in time.
    #[error("it did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It sent more than is taken.
    #[error("it sent a message of more than {} MiB, which was dropped", limits::MESSAGE_BYTES / 1024 / 1024)]
    TooLarge,
    /// It answered with an error of the protocol.
    #[error("it answered with error {code}: {message}")]
    Refused {
        /// The protocol's number.
        code: i32,
        /// Its words, made printable and cut.
        message: String,
    },
    /// It answered with something else than what was asked.
    #[error("it answered with something else than what was asked for")]
    Unreadable,
}

impl Failure {
    /// The stable word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NoHandshake(_) => "no-handshake",
            Self::Gone => "gone",
            Self::TimedOut(_) => "timed-out",
            Self::TooLarge => "too-large",
            Self::Refused { .. } => "refused",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Hears what a server says by itself; answers nothing that it asks.
#[derive(Debug)]
struct Listening {
    tools_changed: watch::Sender<u64>,
}

impl ClientHandler for Listening {
    fn get_info(&self) -> ClientConfig {
        // No capability: a server cannot ask for a completion, for files or for input of a person.
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("openclaw", env!("CARGO_PKG_VERSION")),
        )
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.tools_changed.send_modify(|n| *n += 1);
    }
}

/// A connection to a server.
#[derive(Debug)]
pub struct Connection {
    service: RunningService<RoleClient, Listening>,
    too_long: TooLong,
    tools_changed: watch::Receiver<u64>,
}

impl Connection {
    /// Begins.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn begin(
        output: impl AsyncRead + Send + Unpin + 'static,
        input: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Self, Failure> {
        let (metered, too_long) = Metered::new(output, limits::MESSAGE_BYTES);
        let transport =
            AsyncRwTransport::new_client(metered, input).with_max_line_length(limits::MESSAGE_BYTES);
        let (sender, tools_changed) = watch::channel(0);
        let begun = Listening { tools_changed: sender }.serve(transport);
        let service = tokio::time::timeout(limits::START, begun)
            .await
            .map_err(|_| Failure::TimedOut(limits::START))?
            .map_err(no_handshake)?;
        Ok(Self { service, too_long, tools_changed })
    }

    /// What the server offers besides tools.
    #[must_use]
    pub fn kinds(&self) -> Kinds {
        let info = self.service.peer().peer_info();
        Kinds {
            resources: info.as_ref().is_some_and(|i| i.capabilities.resources.is_some()),
            prompts: info.as_ref().is_some_and(|i| i.capabilities.prompts.is_some()),
        }
    }

    /// Counts how often the server said that its tools changed.
    #[must_use]
    pub fn tools_changed(&self) -> watch::Receiver<u64> {
        self.tools_changed.clone()
    }

    /// The tools, as the server describes them; never from a cache. At most [`limits::TOOLS`] + 1.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn tools(&self) -> Result<Vec<ToolOffer>, Failure> {
        let mut tools = Vec::new();
        let mut cursor = None;
        for _ in 0..limits::PAGES {
            let page = PaginatedRequestParams::default().with_cursor(cursor.take());
            let request = ListToolsRequest {
                method: Default::default(),
                params: page.cursor.is_some().then_some(page),
                extensions: Default::default(),
            };
            let ServerResult::ListToolsResult(list) =
                self.request(ClientRequest::ListToolsRequest(request), limits::LIST).await?
            else {
                return Err(Failure::Unreadable);
            };
            tools.extend(list.tools.into_iter().map(convert::offer));
            cursor = list.next_cursor;
            if cursor.is_none() || tools.len() > limits::TOOLS {
                break;
            }
        }
        tools.truncate(limits::TOOLS + 1);
        Ok(tools)
    }

    /// Calls a tool. Dropping the future tells the server that nobody wants the answer.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn call(
        &self,
        name: &str,
        arguments: Map<String, Json>,
        within: Duration,
    ) -> Result<Reply, Failure> {
        let parameters = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        let call = self.service.peer().call_tool_once(parameters);
        match self.bounded(async { call.await.map_err(failure) }, within).await? {
            CallToolResponse::Complete(result) => Ok(convert::reply(result)),
            // A question of the server, or work that goes on: neither was offered.
            _ => Err(Failure::Unreadable),
        }
    }

    /// Asks about resources and prompts.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn ask(
        &self,
        ask: Ask,
        parameters: Map<String, Json>,
        within: Duration,
    ) -> Result<Json, Failure> {
        let request = match ask {
            Ask::Resources => ClientRequest::ListResourcesRequest(ListResourcesRequest {
                method: Default::default(),
                params: optional(parameters)?,
                extensions: Default::default(),
            }),
            Ask::ResourceTemplates => {
                ClientRequest::ListResourceTemplatesRequest(ListResourceTemplatesRequest {
                    method: Default::default(),
                    params: optional(parameters)?,
                    extensions: Default::default(),
                })
            }
            Ask::ReadResource => {
                ClientRequest::ReadResourceRequest(ReadResourceRequest::new(read(parameters)?))
            }
            Ask::Prompts => ClientRequest::ListPromptsRequest(ListPromptsRequest {
                method: Default::default(),
                params: optional(parameters)?,
                extensions: Default::default(),
            }),
            Ask::GetPrompt => ClientRequest::GetPromptRequest(GetPromptRequest::new(read(parameters)?)),
        };
        let result = self.request(request, within).await?;
        let answer = match (ask, result) {
            (Ask::Resources, ServerResult::ListResourcesResult(list)) => serde_json::to_value(list),
            (Ask::ResourceTemplates, ServerResult::ListResourceTemplatesResult(list)) => {
                serde_json::to_value(list)
            }
            (Ask::ReadResource, ServerResult::ReadResourceResult(read)) => serde_json::to_value(read),
            (Ask::Prompts, ServerResult::ListPromptsResult(list)) => serde_json::to_value(list),
            (Ask::GetPrompt, ServerResult::GetPromptResult(prompt)) => serde_json::to_value(prompt),
            _ => return Err(Failure::Unreadable),
        };
        answer.map_err(|_| Failure::Unreadable)
    }

    /// Whether the server is gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.service.is_closed() || self.service.peer().is_transport_closed()
    }

    /// Ends the connection: the server's standard input is closed.
    pub fn end(&self) {
        self.service.cancellation_token().cancel();
    }

    async fn request(&self, request: ClientRequest, within: Duration) -> Result<ServerResult, Failure> {
        let peer = self.service.peer();
        let asked = async {
            let handle =
                peer.send_request_with_option(request, PeerRequestOptions::with_timeout(within)).await;
            handle.map_err(failure)?.await_response().await.map_err(failure)
        };
        // The library's own time limit tells the server; this one is behind it.
        self.bounded(asked, within + Duration::from_secs(1)).await
    }

    async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
        within: Duration,
    ) -> Result<T, Failure> {
        tokio::select! {
            done = tokio::time::timeout(within, work) => done.unwrap_or(Err(Failure::TimedOut(within))),
            () = self.too_long.clone().next() => Err(Failure::TooLarge),
        }
    }
}

fn optional<T: DeserializeOwned>(parameters: Map<String, Json>) -> Result<Option<T>, Failure> {
    if parameters.is_empty() { Ok(None) } else { read(parameters).map(Some) }
}

fn read<T: DeserializeOwned>(parameters: Map<String, Json>) -> Result<T, Failure> {
    serde_json::from_value(Json::Object(parameters)).map_err(|_| Failure::Unreadable)
}

fn no_handshake(error: ClientInitializeError) -> Failure {
    match error {
        ClientInitializeError::JsonRpcError(e) => refused(&e),
        ClientInitializeError::ConnectionClosed(_) | ClientInitializeError::TransportError { .. } => {
            Failure::NoHandshake("it ended, or closed its output, first")
        }
        ClientInitializeError::NoCompatibleProtocolVersion { .. } => {
            Failure::NoHandshake("it speaks no version of the protocol that is known here")
        }
        _ => Failure::NoHandshake("it answered with something else"),
    }
}

fn refused(error: &ErrorData) -> Failure {
    Failure::Refused { code: error.code.0, message: oc_text::visible(&error.message, 500) }
}

fn failure(error: ServiceError) -> Failure {
    match error {
        ServiceError::McpError(e) => refused(&e),
        ServiceError::TransportSend(_) | ServiceError::TransportClosed => Failure::Gone,
        ServiceError::Timeout { timeout } => Failure::TimedOut(timeout),
        _ => Failure::Unreadable,
    }
}
