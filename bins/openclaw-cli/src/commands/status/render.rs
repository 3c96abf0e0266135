//! A status report for people and for programs.

use oc_audit::report::json as report_json;
use oc_gateway::client::Target;
use oc_text::visible;
use oc_types::Severity;
use serde_json::{Map, Value, json};

use super::conceal::Conceal;
use super::look::{Agent, Live, Picture};
use crate::commands::gateway::said;
use crate::commands::{dashboard, health};
use crate::sheet::{Sheet, ago};

/// How many sessions a report lists.
const RECENT: usize = 10;
/// How many lines of the log a report shows.
const LOG_SHOWN: usize = 22;
/// Longest line of the log, in characters.
const LOG_WIDTH: usize = 200;

/// For people.
pub fn text(p: &Picture, conceal: &Conceal) -> String {
    // Before lines are folded: a credential that is cut in two is not found any more.
    let filter = |text: &str| conceal.text(text);
    let mut sheet = Sheet::new(12).filtered(&filter);
    overview(&mut sheet, p);
    if let Ok(live) = &p.live
        && let Some(report) = &live.health
    {
        sheet.heading("Health");
        health::rows(&mut sheet, report, p.now_ms);
    }
    channels(&mut sheet, p);
    agents(&mut sheet, p);
    if p.all {
        diagnosis(&mut sheet, p);
    } else {
        sheet.heading("More");
        sheet.row("Report", "openclaw status --all");
        sheet.row("Live log", "openclaw logs --follow");
        sheet.row("Security", "openclaw security audit");
    }
    sheet.text()
}

fn overview(sheet: &mut Sheet<'_>, p: &Picture) {
    sheet.heading("Overview");
    sheet.row("Version", env!("CARGO_PKG_VERSION"));
    sheet.row("System", &os(p));
    let standing = match (p.exists, p.issues.is_empty()) {
        (false, _) => ", not there: the defaults count",
        (true, false) => ", not valid",
        (true, true) => "",
    };
    sheet.row("Config", &format!("{}{standing}", p.config));
    sheet.row("Console", &dashboard::address(&p.target));
    sheet.row("Tailscale", &p.tailscale);
    let answer = match &p.live {
        Ok(live) => format!("answers, connected in {} ms", live.latency_ms),
        Err(why) => format!("does not answer: {why}"),
    };
    sheet.row(
        "Gateway",
        &format!(
            "{}, {} ({}), {answer}, auth {}",
            p.mode,
            p.target.display,
            p.target.source,
            auth(&p.target)
        ),
    );
    sheet.some("Runs on", p.live.as_ref().ok().and_then(|l| said(&l.own)));
    sheet.row("Service", &p.gateway_service.words());
    sheet.row("Node host", &p.node_service.words());
    let summary = p.audit.summary();
    sheet.row(
        "Security",
        &format!("{} critical, {} warn, {} info", summary.critical, summary.warn, summary.info),
    );
    for finding in p.audit.findings.iter().filter(|f| f.severity == Severity::Critical) {
        sheet.row("", &finding.title);
    }
}

fn os(p: &Picture) -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{os} {} ({arch})", p.release)
}

/// The kind of what is presented, never its value.
fn auth(target: &Target) -> &'static str {
    match (&target.credentials.token, &target.credentials.password) {
        (Some(_), _) => "token",
        (None, Some(_)) => "password",
        (None, None) => "none",
    }
}

fn channels(sheet: &mut Sheet<'_>, p: &Picture) {
    sheet.heading("Channels");
    if p.channels.is_empty() {
        sheet.line("  none configured");
    }
    for c in &p.channels {
        let on = if c.enabled { "on" } else { "off" };
        let from = if c.credentials.is_empty() {
            "no credential in the configuration".to_owned()
        } else {
            c.credentials.join(", ")
        };
        sheet.row(&visible(&c.id, 12), &format!("{on}, {from}"));
    }
}

fn agents(sheet: &mut Sheet<'_>, p: &Picture) {
    sheet.heading("Agents");
    for a in &p.agents {
        let default = if a.default { ", default" } else { "" };
        let standing = match &a.sessions {
            Ok(rows) => {
                let last = rows.first().and_then(|r| r.get("ageMs")).and_then(Value::as_u64);
                let last = last.map(|ms| format!(", last used {}", ago(ms))).unwrap_or_default();
                format!("{} sessions{last}", rows.len())
            }
            Err(why) => format!("sessions cannot be read: {why}"),
        };
        sheet.row(&visible(&a.id, 12), &format!("{standing}{default}"));
        if p.all {
            sheet.row("", &format!("works in {}", a.workspace));
            sheet.row("", &format!("keeps sessions in {}", a.store));
        }
    }
}

fn diagnosis(sheet: &mut Sheet<'_>, p: &Picture) {
    sheet.heading("Diagnosis");
    for issue in &p.issues {
        sheet.row("Config", issue);
    }
    for finding in p.audit.findings.iter().filter(|f| f.severity != Severity::Info) {
        sheet.row("Finding", &format!("{}: {}", finding.check_id, finding.title));
    }
    match &p.live {
        Err(why) => sheet.row("Gateway", why),
        Ok(live) => {
            live.refused.iter().for_each(|r| sheet.row("Refused", r));
            let shown = live.log.len().saturating_sub(LOG_SHOWN);
            for line in live.log.iter().skip(shown) {
                let words = crate::commands::logs::words(line);
                let first = words.lines().next().unwrap_or_default();
                sheet.row("Log", &visible(first.trim_end(), LOG_WIDTH));
            }
        }
    }
}

/// For programs: what the gateway answers to `status`, and this machine's side of it.
pub fn json(p: &Picture) -> Value {
    let mut out = match &p.live {
        Ok(Live { status: Value::Object(members), .. }) => members.clone(),
        Ok(_) | Err(_) => from_disk(p),
    };
    let live = p.live.as_ref().ok();
    let mut add = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    add(
        "os",
        json!({"platform": std::env::consts::OS, "arch": std::env::consts::ARCH, "release": p.release, "label": os(p)}),
    );
    add("update", Value::Null);
    add("updateChannel", "stable".into());
    add("updateChannelSource", "default".into());
    add("memory", Value::Null);
    add("memoryPlugin", Value::Null);
    add(
        "gateway",
        json!({
            "mode": p.mode, "url": p.target.display, "urlSource": p.target.source.to_string(), "misconfigured": p.target.problem.is_some(),
            "reachable": live.is_some(), "connectLatencyMs": live.map(|l| l.latency_ms), "self": live.map(|l| &l.own),
            "error": p.live.as_ref().err(),
        }),
    );
    add("gatewayService", p.gateway_service.short_json());
    add("nodeService", p.node_service.short_json());
    add("agents", agents_json(p));
    add("securityAudit", report_json::value(&p.audit));
    if let Some(report) = live.and_then(|l| l.health.clone()) {
        add("health", report);
        add("lastHeartbeat", live.and_then(|l| l.heartbeat.clone()).unwrap_or_default());
    }
    Value::Object(out)
}

fn agents_json(p: &Picture) -> Value {
    let rows: Vec<Value> = p
        .agents
        .iter()
        .map(|a| {
            let last = |name: &str| recent(a).first().and_then(|r| r.get(name)).cloned();
            json!({
                "id": a.id, "workspaceDir": a.workspace, "bootstrapPending": false, "sessionsPath": a.store,
                "sessionsCount": recent(a).len(), "lastUpdatedAt": last("updatedAt"), "lastActiveAgeMs": last("ageMs"),
            })
        })
        .collect();
    let total: usize = p.agents.iter().map(|a| recent(a).len()).sum();
    json!({"defaultId": default_id(p), "agents": rows, "totalSessions": total, "bootstrapPendingCount": 0})
}

fn recent(agent: &Agent) -> &[Value] {
    agent.sessions.as_deref().unwrap_or_default()
}

fn default_id(p: &Picture) -> &str {
    p.agents.iter().find(|a| a.default).map_or("main", |a| a.id.as_str())
}

/// What `status` would hold, as far as this machine's files tell.
fn from_disk(p: &Picture) -> Map<String, Value> {
    let some = |a: &Agent| -> Vec<Value> { recent(a).iter().take(RECENT).cloned().collect() };
    let by_agent: Vec<Value> = p
        .agents
        .iter()
        .map(|a| json!({"agentId": a.id, "path": a.store, "count": recent(a).len(), "recent": some(a)}))
        .collect();
    let mut all: Vec<Value> = p.agents.iter().flat_map(some).collect();
    all.sort_by_key(|r| r.get("ageMs").and_then(Value::as_u64).unwrap_or(u64::MAX));
    all.truncate(RECENT);
    let paths: Vec<&str> = p.agents.iter().map(|a| a.store.as_str()).collect();
    let count: usize = p.agents.iter().map(|a| recent(a).len()).sum();
    let value = json!({
        "heartbeat": {"defaultAgentId": default_id(p), "agents": []},
        "channelSummary": [], "queuedSystemEvents": [],
        "sessions": {"paths": paths, "count": count, "defaults": {"model": null, "contextTokens": null},
            "recent": all, "byAgent": by_agent},
    });
    value.as_object().cloned().unwrap_or_default()
}
