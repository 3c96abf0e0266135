//! Which method is carried out by what.

use serde_json::Value;

use super::Handler::{self, Blocking, Quick, Waiting};
use super::{
    Call, Outcome, agent_files, agents, approvals, approvals_file, channels, chat, config, console, cron,
    devices, inject, nodes, send, sessions, skills, system, system_events, usage,
};
use crate::assistant::ending::end_session;
use crate::server::reload;

/// The handlers, by name.
const HANDLERS: &[(&str, Handler)] = &[
    ("access.pairing.approve", Blocking(console::pairing_approve)),
    ("access.pairing.list", Blocking(console::pairing_list)),
    ("agent", Waiting(chat::agent)),
    ("agent.wait", Waiting(chat::wait)),
    ("agent.identity.get", Blocking(|c| agents::identity(&c.place(), params(c)))),
    ("agents.files.get", Blocking(|c| agent_files::get(&c.place(), params(c)))),
    ("agents.files.list", Blocking(|c| agent_files::list(&c.place(), params(c)))),
    ("agents.files.set", Blocking(|c| agent_files::set(&c.place(), params(c)))),
    ("agents.list", Blocking(|c| agents::list(&c.place(), params(c)))),
    ("audit.fix", Blocking(console::fix)),
    ("audit.run", Blocking(console::run)),
    ("audit.undo", Blocking(console::undo)),
    (
        "channels.status",
        Blocking(|c| channels::status(&c.place(), &channels::running(&c.gateway), params(c))),
    ),
    ("chat.abort", Blocking(chat::abort)),
    ("chat.inject", Waiting(inject::inject)),
    ("chat.send", Blocking(chat::send)),
    ("chat.history", Blocking(|c| sessions::history(&c.place(), params(c)))),
    ("config.apply", Blocking(|c| written(c, config::apply(&c.config(), params(c)), "config.apply"))),
    ("config.get", Blocking(|c| config::get(&c.config(), params(c)))),
    ("config.patch", Blocking(|c| written(c, config::patch(&c.config(), params(c)), "config.patch"))),
    ("config.schema", Blocking(|c| config::schema(&c.config(), params(c)))),
    ("config.set", Blocking(|c| written(c, config::set(&c.config(), params(c)), "config.set"))),
    ("cron.list", Blocking(|c| cron::list(&c.place(), params(c)))),
    ("cron.status", Blocking(|c| cron::status(&c.place(), false, params(c)))),
    ("device.pair.approve", Blocking(devices::approve)),
    ("device.pair.list", Blocking(devices::list)),
    ("device.pair.reject", Blocking(devices::reject)),
    ("device.token.revoke", Blocking(devices::revoke)),
    ("device.token.rotate", Blocking(devices::rotate)),
    ("exec.approval.get", Blocking(approvals::get)),
    ("exec.approval.list", Blocking(approvals::list)),
    ("exec.approval.request", Waiting(approvals::request)),
    ("exec.approval.resolve", Blocking(approvals::resolve)),
    ("exec.approval.waitDecision", Waiting(approvals::wait)),
    ("exec.approvals.get", Blocking(|c| approvals_file::get(&c.place(), params(c)))),
    ("exec.approvals.node.get", Waiting(nodes::approvals_get)),
    ("exec.approvals.node.set", Waiting(nodes::approvals_set)),
    ("exec.approvals.set", Blocking(|c| approvals_file::set(&c.place(), params(c)))),
    ("explain.ask", Blocking(console::ask)),
    ("health", Waiting(system::health)),
    ("last-heartbeat", Quick(system::last_heartbeat)),
    ("ledger.list", Blocking(console::ledger_list)),
    ("logs.tail", Blocking(system::logs)),
    ("models.list", Quick(system::models)),
    ("node.describe", Blocking(nodes::describe)),
    ("node.event", Quick(nodes::event)),
    ("node.invoke", Waiting(nodes::invoke)),
    ("node.invoke.result", Quick(nodes::result)),
    ("node.list", Blocking(nodes::list)),
    ("node.pair.approve", Blocking(nodes::pair_approve)),
    ("node.pair.list", Blocking(nodes::pair_list)),
    ("node.pair.reject", Blocking(nodes::pair_reject)),
    ("node.pair.remove", Blocking(nodes::pair_remove)),
    ("node.pair.request", Blocking(nodes::pair_request)),
    ("node.pair.verify", Blocking(nodes::pair_verify)),
    ("node.rename", Blocking(nodes::rename)),
    ("reach.matrix", Blocking(console::matrix)),
    ("send", Waiting(send::send)),
    ("sessions.compact", Blocking(|c| sessions::compact(&c.place(), params(c)))),
    ("sessions.delete", Blocking(|c| over(c, sessions::delete(&c.place(), params(c))))),
    ("sessions.list", Blocking(|c| sessions::list(&c.place(), params(c)))),
    ("sessions.patch", Blocking(|c| sessions::patch(&c.place(), params(c)))),
    ("sessions.preview", Blocking(|c| sessions::preview(&c.place(), params(c)))),
    ("sessions.reset", Blocking(|c| over(c, sessions::reset(&c.place(), params(c))))),
    ("sessions.resolve", Blocking(|c| sessions::resolve(&c.place(), params(c)))),
    ("skills.bins", Blocking(|c| skills::bins(&c.gateway.skills, &c.place(), params(c)))),
    ("skills.status", Blocking(skills_status)),
    ("status", Blocking(system::status)),
    ("system-event", Quick(system_events::event)),
    ("system-presence", Quick(system::presence)),
    ("usage.cost", Blocking(|c| usage::cost(&c.place(), params(c)))),
    ("usage.status", Blocking(|c| usage::status(&c.place(), params(c)))),
    ("voicewake.get", Quick(system::voicewake)),
    ("wake", Quick(system_events::wake)),
];

fn params(call: &Call) -> Value {
    call.params.clone()
}

fn skills_status(call: &Call) -> Outcome {
    let snapshot = call.gateway.snapshot();
    let environment = &snapshot.loaded.environment;
    let path = call.gateway.search_path();
    let host = skills::Host { path: &path, variable: &|name| environment.text(name).is_some() };
    skills::status(&call.gateway.skills, &call.place(), &host, params(call))
}

/// With a session that was begun anew or deleted ends what went on in it.
fn over(call: &Call, outcome: Outcome) -> Outcome {
    let answer = outcome?;
    let key = answer.get("key").and_then(Value::as_str).unwrap_or_default();
    let (agent, key) = call.place().session(key)?;
    end_session(&call.gateway, &agent, &key);
    Ok(answer)
}

/// A write of the configuration is in force before it is acknowledged; `patch` and `apply` start the gateway anew after their delay.
fn written(call: &Call, outcome: Outcome, method: &'static str) -> Outcome {
    let answer = outcome?;
    reload::now(&call.gateway);
    let delay = answer.pointer("/restart/delayMs").and_then(Value::as_u64);
    if let (Some(delay), Ok(runtime)) = (delay, tokio::runtime::Handle::try_current()) {
        let gateway = std::sync::Arc::clone(&call.gateway);
        runtime.spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(delay)).await;
            gateway.stop(method, Some(1500));
        });
    }
    Ok(answer)
}

/// The handler of a method; `None`: it is not built.
#[must_use]
pub fn handler(method: &str) -> Option<Handler> {
    HANDLERS.iter().find(|(name, _)| *name == method).map(|(_, handler)| *handler)
}

/// The methods that are offered.
#[must_use]
pub fn offered() -> Vec<&'static str> {
    HANDLERS.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority;

    #[test]
    fn sp_339_every_offered_method_stands_in_the_table_of_needs() {
        for name in offered() {
            assert!(authority::need_of(name).is_some(), "{name}");
        }
        let mut names = offered();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), HANDLERS.len());
    }
}
