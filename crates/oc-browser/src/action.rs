//! What a call asks for, read into types before anything is decided. Pure.
//!
//! What is not built has an error of its own that names it; a model is never told of it.

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use crate::keys;
use crate::places::PROFILE;

/// Actions that there are.
pub(crate) const ACTIONS: [&str; 12] = [
    "status",
    "start",
    "stop",
    "tabs",
    "open",
    "focus",
    "close",
    "navigate",
    "snapshot",
    "screenshot",
    "act",
    "console",
];
/// Actions of other releases that are not built here.
const NOT_BUILT: [&str; 4] = ["pdf", "upload", "dialog", "profiles"];
/// Kinds of `act` that there are.
pub(crate) const KINDS: [&str; 7] = ["click", "type", "press", "hover", "select", "wait", "evaluate"];
/// Kinds of other releases that are not built here.
const KINDS_NOT_BUILT: [&str; 4] = ["drag", "fill", "resize", "close"];
/// Longest address, in bytes.
const ADDRESS: usize = 8192;
/// Longest text that is typed, looked for or run, in bytes.
const TEXT: usize = 64 * 1024;
/// Longest wait.
const WAIT_MS: u64 = 30_000;
/// Wait when nothing is said.
const WAIT_DEFAULT_MS: u64 = 10_000;
/// Characters of a snapshot when nothing is said; also the most.
pub(crate) const CHARACTERS: usize = 50_000;
/// Least of `maxChars`.
const LEAST_CHARACTERS: u64 = 100;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Whether it runs, and how.
    Status,
    /// Starts it.
    Start,
    /// Ends it.
    Stop,
    /// Lists the tabs.
    Tabs,
    /// A new tab.
    Open(Url),
    /// Another tab is driven.
    Focus(String),
    /// Closes a tab.
    Close(Option<String>),
    /// Goes somewhere.
    Navigate(Url, Option<String>),
    /// Reads the page.
    Snapshot {
        /// The tab.
        tab: Option<String>,
        /// Most characters.
        characters: usize,
        /// Only what can be acted upon; `None` leaves it to the configuration.
        active_only: Option<bool>,
    },
    /// A picture.
    Screenshot {
        /// The tab.
        tab: Option<String>,
        /// All of the page, not only what is in the window.
        full: bool,
        /// JPEG instead of PNG.
        jpeg: bool,
    },
    /// Acts in the page.
    Act(Act, Option<String>),
    /// The console's lines.
    Console {
        /// The tab.
        tab: Option<String>,
        /// Only errors.
        errors: bool,
    },
}

/// Something done in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// A click.
    Click {
        /// The element.
        reference: String,
        /// Twice.
        double: bool,
    },
    /// Text in the place of what is in a field.
    Type {
        /// The element.
        reference: String,
        /// The text.
        text: String,
        /// Enter afterwards.
        submit: bool,
    },
    /// A key.
    Press(String),
    /// The mouse over an element.
    Hover(String),
    /// Options of a list.
    Select {
        /// The element.
        reference: String,
        /// Values or labels.
        values: Vec<String>,
    },
    /// Until something is so.
    Wait(Until, Duration),
    /// A script.
    Evaluate(String),
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Time.
    Over,
    /// A text in the page.
    Text(String),
    /// A text no more.
    Gone(String),
}

impl Action {
    /// Reads the arguments of a call.
    pub fn parse(arguments: &Map<String, Value>) -> Result<Self, String> {
        place(arguments)?;
        let name = text(arguments, "action")?.ok_or("`action` is missing")?;
        let tab = text(arguments, "targetId")?;
        let address = || address(text(arguments, "targetUrl")?.or(text(arguments, "url")?));
        Ok(match name.as_str() {
            "status" => Self::Status,
            "start" => Self::Start,
            "stop" => Self::Stop,
            "tabs" => Self::Tabs,
            "open" => Self::Open(address()?),
            "focus" => Self::Focus(tab.ok_or("`targetId` is missing")?),
            "close" => Self::Close(tab),
            "navigate" => Self::Navigate(address()?, tab),
            "snapshot" => Self::Snapshot {
                tab,
                characters: characters(arguments)?,
                active_only: flag(arguments, "interactive")?,
            },
            "screenshot" => {
                let jpeg = match text(arguments, "type")?.as_deref() {
                    None | Some("png") => false,
                    Some("jpeg") => true,
                    Some(_) => return Err("`type` must be png or jpeg".to_owned()),
                };
                Self::Screenshot { tab, full: flag(arguments, "fullPage")?.unwrap_or(false), jpeg }
            }
            "act" => {
                let request =
                    arguments.get("request").and_then(Value::as_object).ok_or("`request` is missing")?;
                let inner = text(request, "targetId")?;
                if inner.is_some() && tab.is_some() && inner != tab {
                    return Err("`targetId` and `request.targetId` differ".to_owned());
                }
                Self::Act(Act::parse(request)?, tab.or(inner))
            }
            "console" => {
                let errors = match text(arguments, "level")?.as_deref() {
                    None | Some("all") => false,
                    Some("error") => true,
                    Some(_) => return Err("`level` must be all or error".to_owned()),
                };
                Self::Console { tab, errors }
            }
            other => return Err(unknown("action", other, &NOT_BUILT, &ACTIONS)),
        })
    }
}

impl Act {
    fn parse(request: &Map<String, Value>) -> Result<Self, String> {
        let kind = text(request, "kind")?.ok_or("`request.kind` is missing")?;
        let reference = || {
            let given =
                text(request, "ref")?.ok_or("`request.ref` is missing; `snapshot` gives references")?;
            let given = given.trim_start_matches('@').to_owned();
            let known = given
                .strip_prefix('e')
                .is_some_and(|n| n.len() <= 6 && n.bytes().all(|b| b.is_ascii_digit()) && !n.is_empty());
            if known { Ok(given) } else { Err("`request.ref` must be a reference such as e3".to_owned()) }
        };
        let wanted = |name: &str| text(request, name)?.ok_or_else(|| format!("`request.{name}` is missing"));
        Ok(match kind.as_str() {
            "click" => Self::Click {
                reference: reference()?,
                double: flag(request, "doubleClick")?.unwrap_or(false),
            },
            "type" => {
                let words = request.get("text").and_then(Value::as_str).ok_or("`request.text` is missing")?;
                short("request.text", words)?;
                Self::Type {
                    reference: reference()?,
                    text: words.to_owned(),
                    submit: flag(request, "submit")?.unwrap_or(false),
                }
            }
            "press" => {
                let key = wanted("key")?;
                keys::of(&key).ok_or(
                    "`request.key` must be one character or a name such as Enter, optionally after Control+",
                )?;
                Self::Press(key)
            }
            "hover" => Self::Hover(reference()?),
            "select" => {
                let values =
                    request.get("values").and_then(Value::as_array).ok_or("`request.values` is missing")?;
                let values = values.iter().map(|v| v.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
                let values = values.filter(|v| !v.is_empty() && v.len() <= 100);
                Self::Select {
                    reference: reference()?,
                    values: values.ok_or("`request.values` must be 1 to 100 texts")?,
                }
            }
            "wait" => {
                let time = number(request, "timeMs")?;
                let until = match (text(request, "text")?, text(request, "textGone")?) {
                    (Some(text), None) => Until::Text(text),
                    (None, Some(text)) => Until::Gone(text),
                    (None, None) if time.is_some() => Until::Over,
                    (None, None) => return Err("`request` needs timeMs, text or textGone".to_owned()),
                    (Some(_), Some(_)) => return Err("`request` takes text or textGone, not both".to_owned()),
                };
                Self::Wait(until, Duration::from_millis(time.unwrap_or(WAIT_DEFAULT_MS).min(WAIT_MS)))
            }
            "evaluate" => Self::Evaluate(wanted("fn")?),
            other => return Err(unknown("request.kind", other, &KINDS_NOT_BUILT, &KINDS)),
        })
    }
}

/// Where it is to happen: this machine's own browser; who reaches a node has taken those words out before.
fn place(arguments: &Map<String, Value>) -> Result<(), String> {
    match text(arguments, "target")?.as_deref().map(str::trim) {
        None | Some("host") => {}
        Some("sandbox") => {
            return Err("`target` sandbox is not built: there is no browser in a sandbox".to_owned());
        }
        Some("node") => {
            return Err("`target` node needs a running gateway: only that reaches nodes".to_owned());
        }
        Some(_) => return Err("`target` must be host".to_owned()),
    }
    if arguments.get("node").is_some_and(|v| !v.is_null()) {
        return Err("`node` needs `target` node".to_owned());
    }
    match text(arguments, "profile")?.as_deref().map(str::trim) {
        None | Some(PROFILE) => Ok(()),
        // Whatever it is called, it is somebody's own.
        Some(_) => Err(format!("`profile` must be {PROFILE}: no other browser is driven")),
    }
}

fn unknown(what: &str, word: &str, not_built: &[&str], all: &[&str]) -> String {
    let all = all.join(", ");
    if not_built.contains(&word) {
        format!("`{what}` {word} is not built; there are {all}")
    } else {
        format!("`{what}` must be one of {all}")
    }
}

/// Where to go: http and https only, whatever the browser could open.
fn address(given: Option<String>) -> Result<Url, String> {
    let given = given.ok_or("`targetUrl` is missing")?;
    if given.len() > ADDRESS {
        return Err(format!("`targetUrl` is longer than {ADDRESS} bytes"));
    }
    let url = Url::parse(given.trim()).map_err(|e| format!("`targetUrl`: {e}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("`targetUrl` must begin with http:// or https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("`targetUrl` must hold no user name and no password".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("`targetUrl` names no host".to_owned());
    }
    Ok(url)
}

fn text(arguments: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => short(name, text).map(|()| Some(text.clone())),
        Some(_) => Err(format!("`{name}` must be a text")),
    }
}

fn short(name: &str, text: &str) -> Result<(), String> {
    if text.len() > TEXT { Err(format!("`{name}` is longer than {TEXT} bytes")) } else { Ok(()) }
}

fn flag(arguments: &Map<String, Value>, name: &str) -> Result<Option<bool>, String> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(yes)) => Ok(Some(*yes)),
        Some(_) => Err(format!("`{name}` must be true or false")),
    }
}

fn number(arguments: &Map<String, Value>, name: &str) -> Result<Option<u64>, String> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| format!("`{name}` must be a whole number")),
    }
}

fn characters(arguments: &Map<String, Value>) -> Result<usize, String> {
    match number(arguments, "maxChars")? {
        None => Ok(CHARACTERS),
        Some(n) if n >= LEAST_CHARACTERS => Ok(usize::try_from(n).unwrap_or(CHARACTERS).min(CHARACTERS)),
        Some(_) => Err(format!("`maxChars` must be a number from {LEAST_CHARACTERS} on")),
    }
}
