//! Chat commands: what is one, and who may use it (channels 6).

use oc_types::Node;

pub mod approve;
pub mod exec;
pub mod gate;
pub mod owner;

/// A command of the chat surface.
#[derive(Debug, PartialEq, Eq)]
struct Spec {
    /// Its name, without the slash.
    key: &'static str,
    /// Other spellings.
    aliases: &'static [&'static str],
    /// Whether words may follow.
    args: bool,
    /// The key below `commands` that has to be `true` first.
    switch: Option<&'static str>,
}

const fn plain(key: &'static str, args: bool) -> Spec {
    Spec { key, aliases: &[], args, switch: None }
}

const fn alias(key: &'static str, aliases: &'static [&'static str], args: bool) -> Spec {
    Spec { key, aliases, args, switch: None }
}

const fn switched(key: &'static str) -> Spec {
    Spec { key, aliases: &[], args: true, switch: Some(key) }
}

const SPECS: &[Spec] = &[
    plain("help", false),
    plain("commands", false),
    plain("skill", true),
    plain("status", false),
    plain("allowlist", true),
    plain("approve", true),
    plain("context", true),
    plain("tts", true),
    alias("whoami", &["id"], false),
    plain("subagents", true),
    switched("config"),
    switched("debug"),
    plain("usage", true),
    plain("stop", false),
    plain("restart", false),
    plain("activation", true),
    plain("send", true),
    plain("reset", true),
    plain("new", true),
    plain("compact", true),
    alias("think", &["thinking", "t"], true),
    alias("verbose", &["v"], true),
    alias("reasoning", &["reason"], true),
    alias("elevated", &["elev"], true),
    plain("exec", true),
    plain("model", true),
    plain("models", true),
    plain("queue", true),
    switched("bash"),
    alias("dock-telegram", &["dock_telegram"], false),
    alias("dock-discord", &["dock_discord"], false),
    alias("dock-slack", &["dock_slack"], false),
];

/// Words that, as a whole message, stop the run.
const ABORT_WORDS: [&str; 6] = ["stop", "esc", "abort", "wait", "exit", "interrupt"];

/// A message read as a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandText {
    /// The text in normal form: first line only, aliases resolved, the bot's own `@name` removed. Text that is no command stays as it is.
    pub normalized: String,
    /// The command, when it is a known one that is switched on.
    pub command: Option<&'static str>,
    /// A bare word that stops the run (`stop`, `abort` ...).
    pub abort: bool,
}

impl CommandText {
    /// Reads a text. `bot` is the bot's user name, where the service has one; `config` gives the switches below `commands`.
    #[must_use]
    pub fn read(text: &str, bot: Option<&str>, config: &Node) -> Self {
        let normalized = normalize(text, bot);
        let command = recognized(&normalized, config);
        let abort = ABORT_WORDS.contains(&normalized.trim().to_lowercase().as_str());
        Self { normalized, command, abort }
    }

    /// Whether this is a control command or a bare abort word.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.command.is_some() || self.abort
    }
}

fn find(word: &str) -> Option<&'static Spec> {
    SPECS.iter().find(|s| s.key == word || s.aliases.contains(&word))
}

/// The word after the slash and what follows it.
fn split(line: &str) -> Option<(&str, &str)> {
    let body = line.strip_prefix('/')?;
    match body.split_once(char::is_whitespace) {
        Some((word, rest)) => Some((word, rest.trim())),
        None => Some((body, "")),
    }
}

fn normalize(text: &str, bot: Option<&str>) -> String {
    let text = text.trim();
    if !text.starts_with('/') {
        return text.to_owned();
    }
    let line = text.lines().next().unwrap_or_default().trim();
    let mut line = colon_form(line);
    if let (Some(bot), Some((word, rest))) = (bot.map(str::trim).filter(|b| !b.is_empty()), split(&line))
        && let Some((command, name)) = word.split_once('@')
        && !command.is_empty()
        && name.eq_ignore_ascii_case(bot)
    {
        line = join(command, rest);
    }
    let Some((word, rest)) = split(&line) else { return line };
    match find(&word.to_ascii_lowercase()) {
        Some(spec) if rest.is_empty() || spec.args => join(spec.key, rest),
        Some(_) | None => line,
    }
}

/// `/cmd: args` is `/cmd args`.
fn colon_form(line: &str) -> String {
    let Some((head, tail)) = line.strip_prefix('/').and_then(|b| b.split_once(':')) else {
        return line.to_owned();
    };
    let word = head.trim_end();
    if word.is_empty() || word.contains(char::is_whitespace) {
        return line.to_owned();
    }
    join(word, tail.trim())
}

fn join(word: &str, rest: &str) -> String {
    if rest.is_empty() { format!("/{word}") } else { format!("/{word} {rest}") }
}

fn recognized(normalized: &str, config: &Node) -> Option<&'static str> {
    let (word, rest) = split(normalized)?;
    let spec = find(&word.to_ascii_lowercase())?;
    let on =
        spec.switch.is_none_or(|key| config.path(&["commands", key]).and_then(Node::as_bool) == Some(true));
    (on && (spec.args || rest.is_empty())).then_some(spec.key)
}

/// Whether text commands count on this channel: `commands.text: false` only matters where the service has commands of its own.
#[must_use]
pub fn text_commands_count(config: &Node, channel: &str) -> bool {
    let native = matches!(channel, "discord" | "telegram" | "slack");
    !native || config.path(&["commands", "text"]).and_then(Node::as_bool) != Some(false)
}
