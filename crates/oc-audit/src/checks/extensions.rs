//! Extensions without an allow list (audit spec 1.9).

use oc_types::{Node, Severity};

use crate::channels::order::plugin_loaded;
use crate::facts::Kind;
use crate::{AuditContext, Findings, Wanted};

/// The names in the extensions directory.
pub fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    wanted.list(ctx.facts.places.state_dir.join("extensions"));
}

/// One finding when there are extensions and nothing says which are trusted.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let dir = ctx.facts.places.state_dir.join("extensions");
    if !ctx.facts.path(&dir).is_dir() {
        return;
    }
    let folders: Vec<String> = ctx
        .facts
        .listing(&dir)
        .into_iter()
        .flat_map(|l| &l.entries)
        .filter(|e| e.kind == Kind::Directory)
        .map(|e| e.name.to_string_lossy().into_owned())
        .collect();
    let allow = ctx.get(&["plugins", "allow"]).and_then(Node::entries).unwrap_or_default();
    if folders.is_empty() || !allow.is_empty() {
        return;
    }
    let reachable: Vec<&str> = CHATS.iter().filter(|c| c.skills_reachable(ctx)).map(|c| c.id).collect();
    let severity = if reachable.is_empty() { Severity::Warn } else { Severity::Critical };
    let shown: Vec<&str> = folders.iter().take(5).map(String::as_str).collect();
    let more = if folders.len() > 5 { format!(" and {} more", folders.len() - 5) } else { String::new() };
    let reach = if reachable.is_empty() {
        String::new()
    } else {
        format!(" Their skills can be called from {}.", reachable.join(", "))
    };
    out.report("plugins.extensions_no_allowlist", severity)
        .detail(format!(
            "{} holds {}{more}, and `plugins.allow` is empty.{reach}",
            dir.display(),
            shown.join(", ")
        ))
        .key(ctx.key(&["plugins", "allow"]))
        .path(dir);
}

/// A chat on which skills are offered as native commands.
struct Chat {
    id: &'static str,
    keys: &'static [&'static str],
    variables: &'static [&'static str],
    /// What `auto` means for native skill commands.
    auto: bool,
}

const CHATS: [Chat; 3] = [
    Chat { id: "discord", keys: &["token"], variables: &["DISCORD_BOT_TOKEN"], auto: true },
    Chat { id: "telegram", keys: &["botToken", "tokenFile"], variables: &["TELEGRAM_BOT_TOKEN"], auto: true },
    Chat {
        id: "slack",
        keys: &["botToken", "appToken"],
        variables: &["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"],
        auto: false,
    },
];

impl Chat {
    fn skills_reachable(&self, ctx: &AuditContext<'_>) -> bool {
        self.has_token(ctx) && self.native_skills(ctx)
    }

    fn has_token(&self, ctx: &AuditContext<'_>) -> bool {
        let written = |section: &Node| {
            self.keys
                .iter()
                .any(|k| section.get(k).and_then(Node::as_str).is_some_and(|t| !t.trim().is_empty()))
        };
        let section = ctx.get(&["channels", self.id]);
        let accounts = section.and_then(|s| s.get("accounts")).and_then(Node::as_object);
        section.is_some_and(written)
            || accounts.is_some_and(|a| a.values().any(written))
            || self.variables.iter().any(|name| ctx.facts.environment.text(name).is_some())
    }

    fn native_skills(&self, ctx: &AuditContext<'_>) -> bool {
        let setting = ctx
            .get(&["channels", self.id, "commands", "nativeSkills"])
            .or_else(|| ctx.get(&["commands", "nativeSkills"]));
        match setting.and_then(Node::as_bool) {
            Some(said) => said,
            None => self.auto && plugin_loaded(ctx, self.id),
        }
    }
}
