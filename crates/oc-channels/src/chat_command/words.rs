//! What is said about commands.

use oc_policy::command::approve::ApproveWord;
use oc_policy::command::exec::ExecDirective;
use oc_policy::elevated::{ElevatedGate, Level};
use oc_text::visible;

use super::desk::{Asker, Failure, is_owner};
use super::{ChatCommand, CommandRefusal};
use crate::approval_door::ApprovalReply;
use crate::session_settings::{Reasoning, SendOverride, SessionView, SettingChange, Verbose};

pub(super) const HELP: &str = "\
Write to me in plain words. Some messages are commands:
/status - how this conversation stands
/stop - stop what I am doing
/new - begin a new conversation
/approve CODE, /deny CODE - answer a command that waits
/commands - all commands";

pub(super) const COMMANDS: &str = "\
/help /status /whoami
/stop (or: stop, abort, wait) - stop and forget what waits
/new [TEXT], /reset [TEXT] - a new conversation
/compact [WISH] - shorten the conversation
/approve CODE [once|always|deny] [host|sandbox], /deny CODE
/exec host=sandbox|gateway|node security=deny|allowlist|full ask=off|on-miss|always node=NAME
/elevated on|ask|full|off
/think off|minimal|low|medium|high
/verbose on|full|off, /reasoning on|stream|off
/model PROVIDER/MODEL|default
/queue collect|followup|steer|steer-backlog|interrupt|default
Owners: /activation mention|always (rooms), /send on|off|inherit";

pub(super) const RENEWED: &str = "A new conversation begins.";

pub(super) const APPROVE_USAGE: &str =
    "Use: /approve CODE, /approve CODE once|always|deny [host|sandbox], or /deny CODE. Nothing was decided.";

pub(super) fn refused(refusal: CommandRefusal) -> &'static str {
    match refusal {
        CommandRefusal::Unauthorized => "",
        CommandRefusal::NotOwner => "Only an owner may do this (`commands.ownerAllowFrom`).",
        CommandRefusal::NotARoom => "This is for rooms only.",
        CommandRefusal::NotNamed => {
            "Name me in the message to change this in a room; without that only `/exec security=deny` and `/elevated off` count."
        }
    }
}

pub(super) fn elsewhere(name: &str) -> String {
    let hint = match name {
        "config" | "debug" | "restart" | "allowlist" => {
            " Use `openclaw config` or the console on the gateway's machine."
        }
        "models" => " `/model PROVIDER/MODEL` chooses one; `openclaw config get models` lists them.",
        "usage" | "context" => " `/status` shows what is known.",
        _ => "",
    };
    format!("/{name} is not offered in chats.{hint}")
}

pub(super) fn whoami(asker: &Asker<'_>) -> String {
    let m = asker.message;
    let id = m.sender.id.as_ref().map_or("unknown", |id| id.as_str());
    let mut out = format!(
        "Channel: {}\nAccount: {}\nYour id: {}",
        m.channel,
        visible(&m.account, 64),
        visible(id, 120)
    );
    if let Some(phone) = &m.sender.phone {
        out.push_str(&format!("\nYour number: {}", phone.as_str()));
    }
    out.push_str(&format!(
        "\nCommands: {}\nOwner: {}",
        if asker.authority.commands.is_authorized() { "yes" } else { "no" },
        if is_owner(asker) { "yes" } else { "no" }
    ));
    out
}

pub(super) fn status(asker: &Asker<'_>, view: &SessionView, lines: &[String]) -> String {
    let mut out = format!(
        "Agent: {}\nSession: {}",
        asker.admission.agent(),
        visible(asker.admission.session_key().as_str(), 200)
    );
    let mut row = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            out.push_str(&format!("\n{name}: {}", visible(value, 120)));
        }
    };
    row("Model", view.model.as_deref());
    row("Thinking", view.think.as_deref());
    row("Verbose", view.verbose.map(verbose));
    row("Reasoning", view.reasoning.map(reasoning));
    row("Elevated", view.elevated.map(Level::word));
    let exec = exec_of(view);
    row("Exec", (!exec.is_empty()).then_some(exec.as_str()));
    row("Queue", view.queue.map(|q| q.word()));
    row("Mention needed", view.mention_needed.map(|m| if m { "yes" } else { "no" }));
    for line in lines.iter().take(20) {
        out.push_str(&format!("\n{}", visible(line, 200)));
    }
    out
}

pub(super) fn approval(reply: &ApprovalReply, decision: ApproveWord) -> String {
    let shown = |code: &str| visible(code, 40);
    let did = match decision {
        ApproveWord::AllowOnce => "Allowed once",
        ApproveWord::AllowAlways => "Allowed always",
        ApproveWord::Deny => "Refused",
    };
    match reply {
        ApprovalReply::Recorded { code } => format!("{did}: {}", shown(code)),
        ApprovalReply::Already { code } => format!("{did} before: {}", shown(code)),
        ApprovalReply::Otherwise { code, stands } => {
            format!("{} was answered before: {}. That stands.", shown(code), visible(stands, 80))
        }
        ApprovalReply::Unknown => "No command waits under this code. Nothing was decided.".to_owned(),
        ApprovalReply::Ambiguous => {
            "Several commands begin with this code; give more of it. Nothing was decided.".to_owned()
        }
        ApprovalReply::Expired { code } => format!("Too late: {} has expired.", shown(code)),
        ApprovalReply::NeedsTarget { code } => {
            let code = shown(code);
            format!("Say where it may run: /approve {code} once sandbox, or /approve {code} once host.")
        }
        ApprovalReply::NotOffered { code } => {
            format!("This answer is not offered for {}. Nothing was decided.", shown(code))
        }
        ApprovalReply::NotApprover => {
            "You may not answer approvals here: only owners and listed approvers may. Nothing was decided."
                .to_owned()
        }
        ApprovalReply::Muted => "Too many wrong codes; try again in ten minutes.".to_owned(),
        ApprovalReply::Unavailable => "The approvals cannot be used now, so nothing was decided.".to_owned(),
        ApprovalReply::Silent => String::new(),
    }
}

pub(super) fn exec_invalid(d: &ExecDirective) -> String {
    format!(
        "Not understood: {}. Use host=sandbox|gateway|node, security=deny|allowlist|full, ask=off|on-miss|always, node=NAME. Nothing was changed.",
        d.invalid.join(", ")
    )
}

pub(super) fn exec_set(d: &ExecDirective) -> String {
    let parts = [("host", &d.host), ("security", &d.security), ("ask", &d.ask), ("node", &d.node)];
    let set: Vec<String> =
        parts.iter().filter_map(|(n, v)| Some(format!("{n}={}", visible(v.as_deref()?, 64)))).collect();
    format!("Set for this session: {}. What the configuration forbids stays forbidden.", set.join(" "))
}

fn exec_of(view: &SessionView) -> String {
    let parts = [
        ("host", &view.exec_host),
        ("security", &view.exec_security),
        ("ask", &view.exec_ask),
        ("node", &view.exec_node),
    ];
    let set: Vec<String> = parts.iter().filter_map(|(n, v)| Some(format!("{n}={}", v.as_deref()?))).collect();
    set.join(" ")
}

pub(super) fn exec_shown(view: &SessionView) -> String {
    let set = exec_of(view);
    if set.is_empty() { "Exec is as configured.".to_owned() } else { format!("Exec: {}", visible(&set, 200)) }
}

pub(super) fn elevated_refused(gate: &ElevatedGate) -> String {
    let failures: Vec<String> =
        gate.failures().iter().map(|f| format!("{} ({})", f.stage.word(), visible(&f.key, 120))).collect();
    format!("Elevated execution is not open to you. It fails at: {}", failures.join(", "))
}

pub(super) fn elevated_set(level: Level) -> String {
    match level {
        Level::Off => "Elevated is off: commands run where the sandbox settings put them.".to_owned(),
        Level::On | Level::Ask => {
            format!("Elevated is {}: commands leave the sandbox, approvals apply.", level.word())
        }
        Level::Full => "Elevated is full: commands leave the sandbox and no question is asked.".to_owned(),
    }
}

fn verbose(v: Verbose) -> &'static str {
    match v {
        Verbose::Off => "off",
        Verbose::On => "on",
        Verbose::Full => "full",
    }
}

fn reasoning(r: Reasoning) -> &'static str {
    match r {
        Reasoning::Off => "off",
        Reasoning::On => "on",
        Reasoning::Stream => "stream",
    }
}

fn send(s: SendOverride) -> &'static str {
    match s {
        SendOverride::Allow => "on",
        SendOverride::Deny => "off",
        SendOverride::Inherit => "as configured",
    }
}

fn activation(needed: bool) -> &'static str {
    if needed { "mention" } else { "always" }
}

/// Name, values, and what is set.
fn about(command: &ChatCommand, view: Option<&SessionView>) -> (&'static str, &'static str, Option<String>) {
    let own = |t: &str| t.to_owned();
    match command {
        ChatCommand::Activation(_) => {
            ("activation", "mention, always", view.and_then(|v| v.mention_needed).map(|m| own(activation(m))))
        }
        ChatCommand::Send(_) => ("send", "on, off, inherit", view.and_then(|v| v.send).map(|s| own(send(s)))),
        ChatCommand::Think(_) => {
            ("think", "off, minimal, low, medium, high, xhigh", view.and_then(|v| v.think.clone()))
        }
        ChatCommand::Verbose(_) => {
            ("verbose", "on, full, off", view.and_then(|v| v.verbose).map(|v| own(verbose(v))))
        }
        ChatCommand::Reasoning(_) => {
            ("reasoning", "on, stream, off", view.and_then(|v| v.reasoning).map(|r| own(reasoning(r))))
        }
        ChatCommand::Elevated(_) => {
            ("elevated", "on, ask, full, off", view.and_then(|v| v.elevated).map(|l| own(l.word())))
        }
        ChatCommand::Model(_) => ("model", "PROVIDER/MODEL, default", view.and_then(|v| v.model.clone())),
        ChatCommand::Queue(_) => (
            "queue",
            "collect, followup, steer, steer-backlog, interrupt, default",
            view.and_then(|v| v.queue).map(|q| own(q.word())),
        ),
        ChatCommand::Help
        | ChatCommand::Commands
        | ChatCommand::Whoami
        | ChatCommand::Status
        | ChatCommand::Approve(_)
        | ChatCommand::Stop
        | ChatCommand::New { .. }
        | ChatCommand::Compact { .. }
        | ChatCommand::Exec(_)
        | ChatCommand::Elsewhere(_) => ("help", "", None),
    }
}

pub(super) fn shown(command: &ChatCommand, view: &SessionView) -> String {
    let (name, values, set) = about(command, Some(view));
    let set = set.map_or_else(|| "as configured".to_owned(), |s| visible(&s, 80));
    format!("/{name} is {set} in this session. Values: {values}.")
}

pub(super) fn wrong(command: &ChatCommand, word: &str) -> String {
    let (name, values, _) = about(command, None);
    format!("/{name} does not know {:?}. Values: {values}. Nothing was changed.", visible(word, 40))
}

pub(super) fn set(change: &SettingChange, room: bool) -> String {
    let for_all = if room { " Everybody in this room sees it." } else { "" };
    match change {
        SettingChange::Think(Some(level)) => format!("Thinking is {} in this session.", visible(level, 40)),
        SettingChange::Think(None) => "Thinking is as configured.".to_owned(),
        SettingChange::Verbose(Verbose::Off) => "Verbose is off.".to_owned(),
        SettingChange::Verbose(v) => {
            format!("Verbose is {} in this session: what tools do is shown here.{for_all}", verbose(*v))
        }
        SettingChange::Reasoning(Reasoning::Off) => "Reasoning is off.".to_owned(),
        SettingChange::Reasoning(r) => {
            format!(
                "Reasoning is {} in this session: what the model thinks is shown here.{for_all}",
                reasoning(*r)
            )
        }
        SettingChange::Elevated(level) => elevated_set(*level),
        SettingChange::Exec(d) => exec_set(d),
        SettingChange::Model(Some(model)) => format!("The model of this session is {}.", visible(model, 200)),
        SettingChange::Model(None) => "The model of this session is the configured one.".to_owned(),
        SettingChange::MentionNeeded(true) => "I answer here when I am named.".to_owned(),
        SettingChange::MentionNeeded(false) => "I answer every message in this room.".to_owned(),
        SettingChange::Send(s) => format!("Delivery is {} in this session.", send(*s)),
        SettingChange::Queue(Some(mode)) => format!("The queue mode of this session is {}.", mode.word()),
        SettingChange::Queue(None) => "The queue mode of this session is as configured.".to_owned(),
    }
}

pub(super) fn not_changed(why: &Failure) -> String {
    match why {
        Failure::Value(what) => format!("{} Nothing was changed.", visible(what, 200)),
        Failure::Unavailable => "The session cannot be changed now.".to_owned(),
    }
}
