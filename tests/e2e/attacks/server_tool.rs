//! A turn in which the tool of an MCP server is offered beside the gateway's own. Its words about itself and its answers are the attacker's.
//!
//! The gateway's runtime offers no tools of servers so far; the turn is put together here, over the gateway's gate and its ledger.

use std::sync::Arc;
use std::time::Duration;

use oc_agent::context::Window;
use oc_agent::message::{Thinking, ToolDefinition};
use oc_agent::model::client::{Client, Roots, Timeouts};
use oc_agent::model::clock::SystemClock;
use oc_agent::model::failover::{Models, Places};
use oc_agent::model::retry::Retry;
use oc_agent::model::settings::ModelSettings;
use oc_agent::prompt::{Ground, Mode};
use oc_agent::session::Session;
use oc_agent::session::entry::{self, Facts, Moment, Wish};
use oc_agent::session::reset::{ResetPolicy, Type};
use oc_agent::turn::limits::Limits;
use oc_agent::turn::said::{People, PersonMessage, Said};
use oc_agent::turn::{Abort, NoSink, TurnRequest, run};
use oc_fs::durability::Durability;
use oc_fs::session_store::{SessionStore, SessionStoreFailure};
use oc_gateway::server::snapshot::places;
use oc_policy::inventory::{Inventory, Tool};
use oc_policy::owner_only::Ownership;
use oc_sandbox::executor::Pending;
use oc_sandbox::gate::{
    CallSender, Caller, Handled, Outcome, Snapshot, Surface, ToolCall, ToolHandler, ToolResult,
};
use oc_types::AgentId;
use serde_json::json;

use crate::conversation::{Conversation, Line};
use crate::world::{World, handlers};

/// The tool.
const NAME: &str = "notes__search";
/// The session that it is offered in.
const SESSION: &str = "agent:main:main";

/// What the server answers.
#[derive(Debug)]
struct Answers(String);

impl ToolHandler for Answers {
    fn tool(&self) -> &str {
        NAME
    }

    fn check(&self, _: &ToolCall) -> Result<(), String> {
        Ok(())
    }

    fn run<'a>(&'a self, _: Handled<'a>) -> Pending<'a, ToolResult> {
        Box::pin(async { Ok(ToolResult::text(Outcome::Done, self.0.clone())) })
    }
}

/// The owner says something in a session that has the tool.
pub async fn turn(world: &World, c: &Conversation, line: &Line) {
    let (description, answer) = c.server.clone().unwrap_or_default();
    let gateway = &world.gateway;
    let snapshot = gateway.snapshot();
    let loaded = &snapshot.loaded;
    let own: Arc<dyn ToolHandler> = Arc::new(Answers(answer));
    gateway.gate.replace_handlers(handlers(gateway, Some(own)));
    let inventory = Inventory::with_plugins([Tool::plugin(NAME, "notes")]);
    let texts = loaded.files.iter().map(|f| ("openclaw.json", f.text.as_str()));
    gateway.gate.reload(Snapshot::new(loaded.tree.clone(), inventory, places(loaded), texts));

    let agent = AgentId::normalized("main");
    let store = SessionStore::of(&loaded.locations.state_dir, &agent, None, &loaded.locations.home);
    let at = Moment { now: jiff::Timestamp::now(), zone: jiff::tz::TimeZone::UTC };
    let policy = ResetPolicy::of(&snapshot.tree, Type::of(SESSION, false, false), None);
    let begun = store
        .change(|all| {
            let facts = Facts::default();
            Ok::<_, SessionStoreFailure>(entry::begin(
                all,
                SESSION,
                &at,
                &policy,
                Wish::None,
                &facts,
                "11111111-2222-4333-8444-555555555555",
            ))
        })
        .unwrap();
    let directory = world.workspace().display().to_string();
    let (session, _) =
        Session::open_now(&store, &begun.entry, &directory, jiff::Timestamp::now, Duration::ZERO).unwrap();
    let sender = CallSender { id: Some("1001".to_owned()), ..CallSender::default() };
    let said = Said::People(People::one(PersonMessage::new(sender, Ownership::Proven, line.text.clone())));
    let models = Arc::new(Models::new(
        ModelSettings::read(&snapshot.tree),
        Places {
            state_dir: loaded.locations.state_dir.clone(),
            home: loaded.locations.home.clone(),
            credentials: loaded.locations.credentials.clone(),
            workspaces: vec![world.workspace()],
            environment: loaded.environment.clone(),
        },
        Client::new(Timeouts::default(), Roots::System).unwrap(),
        Retry::default(),
        Arc::new(SystemClock),
    ));
    let model = models.for_session(&agent, models.settings().choice(&agent), None);
    let request = TurnRequest {
        run: uuid::Uuid::new_v4().to_string(),
        caller: Caller::of_session(Surface::Model, agent, SESSION),
        said,
        behind: Vec::new(),
        session,
        ground: Ground::of(Mode::Full),
        tools: vec![ToolDefinition {
            name: NAME.to_owned(),
            description,
            schema: json!({ "type": "object", "properties": { "query": { "type": "string" } } }),
        }],
        afterwards: None,
        steering: oc_agent::turn::steering::Steering::default(),
        window: Window { tokens: 1_000_000, reserve: 20_000 },
        max_tokens: 4096,
        thinking: Thinking::Off,
        limits: Limits::default(),
        keep: Durability::Written,
    };
    run(request, &model, &gateway.gate, &NoSink, &Abort::new()).await;
}
