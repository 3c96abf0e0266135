//! Second stage for `exec`: analysed, decided, and what a person would be asked. Looked at again right before the command runs (SP-177).
//!
//! A call's own wishes only narrow (SP-238). Everything here reads the host and changes nothing.

use std::sync::Arc;

use oc_approval::analysis::{self, Rules, analyse};
use oc_approval::approvals_file::{Ask, Security};
use oc_approval::binding::{self, Circumstances};
use oc_approval::configured;
use oc_approval::decision::{
    self, Call as Wishes, Code, Decision, Fallback, File, HostWord, LineFacts, Requested, Verdict, decide,
};
use oc_approval::host_view::{Entry, HostView as _};
use oc_approval::plan::{Expansion, Miss, Plan, Standing};
use oc_approval::safe_bin::usage::Terminal;
use oc_fs::approvals_store::ApprovalsStore;
use oc_fs::host_view::Disk;
use oc_policy::elevated::{self, Asked, ExecElevation, ExecPolicy};
use oc_policy::exec_route::{Host, exec_route};
use oc_policy::sandbox::{Runs, SandboxPlan};

use super::call::{Caller, ToolCall};
use super::nodes::{NodeHere, Nodes};
use super::recording::Grounds;
use super::refused::{Refused, Stage};
use super::snapshot::Snapshot;
use crate::tools::ExecRequest;

/// `PATH` where the host's environment has none.
const FALLBACK_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// One command with all that its judgement depends on.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub snapshot: Arc<Snapshot>,
    pub call: Arc<ToolCall>,
    pub request: Arc<ExecRequest>,
    /// The session's sandbox; `None` when its tools act on the host.
    pub sandbox: Option<Arc<SandboxPlan>>,
    /// What the host hands on to commands, before it is sanitised.
    pub environment: Arc<[(String, String)]>,
    /// The nodes of the gateway that this process is.
    pub nodes: Option<Arc<dyn Nodes>>,
    /// Whose rights are asked for, when it is somebody behind the call. Place, directory and `PATH` stay those of the call's own caller.
    pub behind: Option<Arc<Caller>>,
}

/// A command that may run, or that a person is asked about.
#[derive(Debug)]
pub(super) struct Judged {
    pub plan: Plan,
    pub line: LineFacts,
    pub decision: Decision,
    /// `PATH` of the command on the host.
    pub path: String,
    /// Device and inode of its directory on the host.
    pub directory_id: Option<(u64, u64)>,
    /// Where it goes with route `node`.
    pub node: Option<NodeHere>,
    pub grounds: Grounds,
}

impl Case {
    fn runs(&self) -> Runs {
        if self.sandbox.is_some() { Runs::Sandboxed } else { Runs::OnHost }
    }

    fn inherited(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Whose rights are asked for.
    pub(super) fn who(&self) -> &Caller {
        self.behind.as_deref().unwrap_or(&self.call.caller)
    }

    /// Judges one; touches the disk, so never on the reactor.
    pub(super) fn judge_one(&self) -> Result<Judged, Box<(Refused, Grounds)>> {
        let plain = |refused| Box::new((refused, Grounds::default()));
        let config = self.snapshot.config();
        let who = self.who();
        let agent = &who.agent;
        let requested = Requested::read(config, agent);
        let elevation = self.elevation().map_err(plain)?;
        let (file, list) = match ApprovalsStore::of(self.snapshot.places().state_dir.as_ref()).read() {
            Ok(found) => match found.file {
                None => (File::Absent, Vec::new()),
                Some(file) => (File::Present(file.posture(agent.as_str())), file.rules(agent.as_str())),
            },
            Err(e) => (File::Unreadable(e.to_string()), Vec::new()),
        };
        let decide = |wishes: &Wishes, file: &File, line: &LineFacts| {
            decide(&decision::Question {
                requested: &requested,
                session: &who.exec.overrides,
                call: wishes,
                runs: self.runs(),
                elevated: elevation,
                file,
                line,
            })
        };
        let mut wishes = wishes(&self.request);
        // The place does not depend on the line.
        let any = LineFacts { standing: Standing::Hit, code: Code::Absent, miss: None };
        let route = decide(&Wishes { host: None, ..wishes.clone() }, &file, &any).route;
        if wishes.host == Some(HostWord::Gateway) && route == Host::Gateway {
            // What it gets anyway is no wish.
            wishes.host = None;
        }
        let path = configured::path(config, &self.call.caller.agent, self.inherited("PATH"))
            .unwrap_or_else(|| FALLBACK_PATH.to_owned());
        let plan = match route {
            Host::Sandbox => self.unseen_plan(),
            Host::Node => self.node_plan(),
            Host::Gateway | Host::Prompt => self.host_plan(&path, list),
        };
        let mut line = LineFacts::of(&plan);
        let mut decision = if route == Host::Node {
            if line.standing == Standing::Miss {
                // What is listed there is the node's to say, and so is whom it asks about the rest.
                line = LineFacts { standing: Standing::Hit, miss: None, ..line };
            }
            // This host's approvals file is not the node's.
            decide(&wishes, &File::Absent, &line)
        } else {
            decide(&wishes, &file, &line)
        };
        if route == Host::Node && decision.verdict == Verdict::Allow {
            decision.reason = "node".to_owned();
        }
        let approvals_file = file != File::Absent;
        let mut grounds = self.grounds(&decision, &line, elevation, approvals_file);
        self.reachable(route, elevation).map_err(|refused| Box::new((refused, grounds.clone())))?;
        let switched_off = [wishes.security, who.exec.overrides.security];
        if switched_off.contains(&Some(Security::Deny)) || decision.verdict == Verdict::Deny {
            let reason = if switched_off.contains(&Some(Security::Deny)) {
                "security-deny"
            } else {
                decision.reason.as_str()
            };
            return Err(Box::new((refusal(reason, &decision, &line), grounds)));
        }
        let node = match route {
            Host::Node => {
                let bound = requested.node.as_ref().map(|n| n.value.as_str());
                let node = self.node(bound).map_err(|refused| Box::new((refused, grounds.clone())))?;
                grounds.inputs.insert("node".to_owned(), node.id.clone().into());
                Some(node)
            }
            Host::Sandbox | Host::Gateway | Host::Prompt => None,
        };
        let directory_id = match Disk.entry(&plan.directory) {
            Entry::Directory(facts) if !matches!(route, Host::Sandbox | Host::Node) => {
                Some((facts.device, facts.inode))
            }
            _ => None,
        };
        Ok(Judged { plan, line, decision, path, directory_id, node, grounds })
    }

    /// Whether there is a way to where the command would go, and the call asks for no other.
    fn reachable(&self, route: Host, elevation: ExecElevation) -> Result<(), Refused> {
        let refuse = |rule: &str, why: String| Err(Refused::built_in(Stage::Arguments, "exec", rule, why));
        if let Some(node) = self.request.node.as_ref().filter(|_| route != Host::Node) {
            let node = oc_text::visible(node, 60);
            let why =
                format!("this session's commands do not go to a node, so `node: {node}` has no meaning");
            return refuse("node", why);
        }
        // An elevated call goes to the gateway host and nowhere else.
        if elevation != ExecElevation::Off && self.request.host.as_deref() == Some("node") {
            return refuse("host", "an elevated command does not go to a node".to_owned());
        }
        Ok(())
    }

    /// How far the call is elevated. Nobody behind it elevates it.
    fn elevation(&self) -> Result<ExecElevation, Refused> {
        let own = self.elevation_of(&self.call.caller)?;
        match &self.behind {
            Some(who) if own != ExecElevation::Off => self.elevation_of(who),
            Some(_) | None => Ok(own),
        }
    }

    fn elevation_of(&self, caller: &Caller) -> Result<ExecElevation, Refused> {
        let config = self.snapshot.config();
        let wanted = self.request.elevated;
        // Staying in the sandbox is always less.
        if self.request.host.as_deref() == Some("sandbox") && self.sandbox.is_some() && wanted != Some(true) {
            return Ok(ExecElevation::Off);
        }
        let gate = elevated::gate(
            config,
            &caller.agent,
            caller.channel.as_deref(),
            &caller.elevated_sender(),
            caller.turn,
        );
        let asked = Asked { inline: caller.exec.directive, session: caller.exec.level };
        let level = elevated::level(&gate, config, asked)
            .map_err(|e| Refused::built_in(Stage::Session, "exec", "elevatedDefault", e.to_string()))?;
        let elevation = elevated::for_exec(&gate, level.level, wanted, ExecPolicy::Permits);
        if wanted == Some(true) && elevation == ExecElevation::Off {
            let failed: Vec<&str> = gate.failures().iter().map(|f| f.key.as_str()).collect();
            let why = format!("this call cannot be elevated ({})", failed.join(", "));
            let mut refused = Refused::built_in(Stage::Arguments, "exec", "elevated", why);
            refused.consulted(gate.trace());
            return Err(refused);
        }
        Ok(elevation)
    }

    /// The line as it is read on this host.
    fn host_plan(&self, path: &str, list: Vec<oc_approval::allowlist::Rule>) -> Plan {
        let config = self.snapshot.config();
        let agent = &self.who().agent;
        let places = self.snapshot.places();
        let workspace = self.snapshot.workspace(&self.call.caller.agent);
        let home = self.inherited("HOME").unwrap_or(&places.home);
        let rules = Rules {
            workspace: Some(workspace.clone()),
            ..configured::rules(config, agent, &list, Some(home), &places.state_dir)
        };
        let directory = match self.request.workdir.as_deref() {
            None => workspace,
            Some("~") => home.to_owned(),
            Some(dir) if dir.starts_with('/') => dir.to_owned(),
            Some(dir) => match dir.strip_prefix("~/") {
                Some(rest) => format!("{}/{rest}", home.trim_end_matches('/')),
                None => format!("{}/{dir}", workspace.trim_end_matches('/')),
            },
        };
        let request = analysis::Request {
            text: &self.request.command,
            directory: &directory,
            path: Some(path),
            home: Some(home),
            overrides: &self.request.env,
            terminal: if self.request.pty { Terminal::Present } else { Terminal::Absent },
        };
        analyse(&request, &rules, &Disk).with_digests(&Disk)
    }

    /// The line as it goes into a sandbox: the shell there reads it.
    fn unseen_plan(&self) -> Plan {
        let text = self.request.command.clone();
        let miss = if text.contains('\0') {
            Miss::new("nul", "the text holds a NUL")
        } else {
            Miss::new("sandbox", "programs inside of a sandbox are not looked at")
        };
        let workdir = self.sandbox.as_ref().map_or("/", |p| p.settings.docker.workdir.value.as_str());
        let mut overrides = self.request.env.clone();
        overrides.sort();
        Plan {
            text,
            directory: inside_directory(workdir, self.request.workdir.as_deref()),
            overrides,
            segments: Vec::new(),
            miss: Some(miss),
            expansion: Expansion::None,
        }
    }

    /// What the ledger says about the decision: words and digests.
    fn grounds(
        &self,
        decision: &Decision,
        line: &LineFacts,
        elevation: ExecElevation,
        approvals_file: bool,
    ) -> Grounds {
        let word = decision.reason.split(':').next().unwrap_or_default();
        let mut out = Grounds { rule: format!("exec: {word}"), ..Grounds::default() };
        // The first rule is the one about the place.
        if let Some(step) = decision.trace.first()
            && let Some(key) = &step.key_path
        {
            out.key_path = Some(key.to_string());
            out.source = Some(step.source.to_string());
        }
        let mut put = |name: &str, value: serde_json::Value| out.inputs.insert(name.to_owned(), value);
        put("commandSha256", oc_fs::ledger::chain::hash("", self.request.command.as_bytes()).into());
        put("route", decision.route.word().into());
        let standing = match line.standing {
            Standing::Hit if decision.route == Host::Node => "of-the-node",
            Standing::Hit => "hit",
            Standing::Miss => "miss",
            Standing::Refused => "refused",
        };
        put("line", standing.into());
        match elevation {
            ExecElevation::Off => {
                let config = self.snapshot.config();
                let route = exec_route(config, &self.who().agent, self.runs(), approvals_file);
                put("elevated", "off".into());
                put("approval", route.approval.word().into());
            }
            ExecElevation::Ask => drop(put("elevated", "ask".into())),
            ExecElevation::Full => drop(put("elevated", "full".into())),
        }
        if decision.fallback == Fallback::SandboxInactive {
            put("routeFallback", "sandbox-inactive".into());
        }
        out
    }
}

impl Judged {
    /// For whom and where it would run.
    pub fn circumstances(&self, call: &ToolCall) -> Circumstances {
        Circumstances {
            agent: call.caller.agent.to_string(),
            session: call.caller.session.clone(),
            host: match self.decision.route {
                Host::Sandbox => binding::Host::Sandbox,
                Host::Prompt => binding::Host::Prompt,
                Host::Node => binding::Host::Node,
                Host::Gateway => binding::Host::Gateway,
            },
            node: self.node.as_ref().map(|n| n.id.clone()),
            security: self.decision.enforce,
            ask: self.decision.ask,
        }
    }
}

/// A directory that a call names, inside a sandbox.
pub(super) fn inside_directory(workdir: &str, wanted: Option<&str>) -> String {
    match wanted {
        None => workdir.to_owned(),
        Some(dir) if dir.starts_with('/') => dir.to_owned(),
        Some(dir) => format!("{}/{dir}", workdir.trim_end_matches('/')),
    }
}

fn wishes(request: &ExecRequest) -> Wishes {
    Wishes {
        host: request.host.as_deref().map(HostWord::read),
        // The arguments hold words of the vocabulary only; another one would be the strictest.
        security: request.security.as_deref().map(|w| Security::parse(w).unwrap_or(Security::Deny)),
        ask: request.ask.as_deref().map(|w| Ask::parse(w).unwrap_or(Ask::Always)),
        node: request.node.clone(),
    }
}

/// A refusal by the rules. `reason`: `word` or `word: detail`.
pub(super) fn refusal(reason: &str, decision: &Decision, line: &LineFacts) -> Refused {
    let word = reason.split(':').next().unwrap_or_default();
    let miss = line.miss.as_ref().map(Miss::text).unwrap_or_default();
    let miss = oc_text::visible(&miss, 200);
    let (stage, why) = match word {
        "security-deny" => (Stage::Approval, "commands are switched off for this session".to_owned()),
        "allowlist-miss" => {
            (Stage::Approval, format!("this command is not allowed here, and nobody is asked ({miss})"))
        }
        "approvals-file-unreadable" => (
            Stage::Approval,
            "the approvals file of this host cannot be used, so no command runs on it until it is mended \
             (`openclaw approvals get` says why)"
                .to_owned(),
        ),
        "host-not-allowed" => (
            Stage::Arguments,
            "the `host` of the call is not where this session's commands go; leave it out, or let an approved sender \
             elevate the command"
                .to_owned(),
        ),
        "node-not-allowed" => {
            (Stage::Arguments, "this session's commands go to another node than the call names".to_owned())
        }
        _ => (Stage::Approval, format!("nobody is asked about such a command ({miss})")),
    };
    let mut refused = Refused::built_in(stage, "exec", word, why);
    refused.consulted(&decision.trace);
    refused
}
