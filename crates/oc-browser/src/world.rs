//! What is known of the browser: its tabs, what they said, what they handed over. Changed by events only; says what to answer them with.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::cdp::{Event, Order};

#[cfg(test)]
mod tests;

/// Most tabs; a page that opens more finds them closed.
pub(crate) const TABS: usize = 20;
/// Most lines of the console that are kept.
const LINES: usize = 200;
/// Longest line, in characters.
const LINE: usize = 1000;
/// Most downloads of one launch; what a page hands over beyond them is given up.
const DOWNLOADS: usize = 50;
/// Largest download, in bytes.
pub(crate) const DOWNLOAD: f64 = 100.0 * 1024.0 * 1024.0;
/// All downloads of one launch, in bytes.
const ALL_DOWNLOADS: f64 = 500.0 * 1024.0 * 1024.0;

/// A tab.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tab {
    /// Its id, which is its main frame's as well.
    pub target: String,
    /// The session in which it is driven.
    pub session: String,
    /// Where it is. Untrusted.
    pub url: String,
    /// Its title. Untrusted.
    pub title: String,
    /// Whether it shows what the browser says about a page that was not reached.
    pub failed: bool,
    /// Whether it loads.
    pub loading: bool,
    /// The document that was loaded completely.
    pub loaded: Option<String>,
    /// The elements of the last snapshot, by reference.
    pub refs: BTreeMap<String, i64>,
}

/// A line of a console. Untrusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The tab.
    pub target: String,
    /// `log`, `warning`, `error` ...
    pub level: String,
    /// The text.
    pub text: String,
}

/// A file that a page handed over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Download {
    /// Its random id, under which it lies in the folder.
    pub id: String,
    /// How the page calls it. Untrusted.
    pub name: String,
    /// `inProgress`, `completed`, `canceled`.
    pub state: String,
    /// How much of it came, in bytes.
    pub received: f64,
}

/// Credentials for the guard, until it has been passed once.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    /// The guard's secret.
    pub secret: oc_types::Secret,
}

/// What is known.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// The tabs, oldest first.
    pub tabs: Vec<Tab>,
    /// The tab that is driven when a call names none.
    pub active: Option<String>,
    /// The last lines of the consoles.
    pub console: VecDeque<Line>,
    /// The downloads.
    pub downloads: Vec<Download>,
    /// How many dialogs were answered with "no".
    pub dialogs: u64,
    /// What opens the guard.
    pub pass: Option<Pass>,
}

impl World {
    /// The tab of an id, else the driven one.
    pub fn tab(&self, target: Option<&str>) -> Option<&Tab> {
        let wanted = target.or(self.active.as_deref())?;
        self.tabs.iter().find(|t| t.target == wanted)
    }

    /// The same, to change it.
    pub fn tab_mut(&mut self, target: &str) -> Option<&mut Tab> {
        self.tabs.iter_mut().find(|t| t.target == target)
    }

    /// Takes an event in; what is to be said about it.
    pub fn take(&mut self, event: &Event) -> Vec<Order> {
        let p = &event.params;
        let text = |path: &str| p.pointer(path).and_then(Value::as_str).unwrap_or_default();
        match event.name.as_str() {
            "Target.attachedToTarget" if text("/targetInfo/type") == "page" => return self.attached(p),
            "Target.detachedFromTarget" => {
                let session = text("/sessionId");
                self.tabs.retain(|t| t.session != session);
                if self.tab(None).is_none() {
                    self.active = self.tabs.last().map(|t| t.target.clone());
                }
            }
            "Target.targetInfoChanged" => {
                let (url, title) = (text("/targetInfo/url"), text("/targetInfo/title"));
                if let Some(tab) = self.tab_mut(text("/targetInfo/targetId")) {
                    url.clone_into(&mut tab.url);
                    title.clone_into(&mut tab.title);
                }
            }
            "Target.targetCrashed" => {
                if let Some(tab) = self.tab_mut(text("/targetId")) {
                    (tab.failed, tab.loading) = (true, false);
                    tab.refs.clear();
                }
            }
            "Page.frameStartedLoading" | "Page.frameStoppedLoading" => {
                let loading = event.name == "Page.frameStartedLoading";
                if let Some(tab) = self.tab_mut(text("/frameId")) {
                    tab.loading = loading;
                }
            }
            "Page.lifecycleEvent" if text("/name") == "load" => {
                let loader = text("/loaderId").to_owned();
                if let Some(tab) = self.tab_mut(text("/frameId")) {
                    tab.loaded = Some(loader);
                }
            }
            "Page.frameNavigated" => {
                let url = text("/frame/url");
                let failed = !text("/frame/unreachableUrl").is_empty();
                if let Some(tab) = self.tab_mut(text("/frame/id")) {
                    tab.failed = failed;
                    url.clone_into(&mut tab.url);
                    tab.refs.clear();
                }
            }
            "Page.javascriptDialogOpening" => {
                self.dialogs = self.dialogs.saturating_add(1);
                // A page is left when it is told to; everything else is answered with "no".
                let leaves = text("/type") == "beforeunload";
                return order(event, "Page.handleJavaScriptDialog", json!({ "accept": leaves }));
            }
            "Runtime.consoleAPICalled" => {
                let words = p.get("args").and_then(Value::as_array).into_iter().flatten().map(shown);
                let line = words.collect::<Vec<_>>().join(" ");
                self.line(event, text("/type"), &line);
            }
            "Runtime.exceptionThrown" => {
                let what = text("/exceptionDetails/exception/description");
                let what = if what.is_empty() { text("/exceptionDetails/text") } else { what };
                self.line(event, "error", what);
            }
            "Browser.downloadWillBegin" => return self.download(text("/guid"), text("/suggestedFilename")),
            "Browser.downloadProgress" => return self.progress(p),
            "Fetch.requestPaused" => {
                return order(event, "Fetch.continueRequest", json!({ "requestId": text("/requestId") }));
            }
            "Fetch.authRequired" => return self.challenge(event),
            _ => {}
        }
        Vec::new()
    }

    fn attached(&mut self, p: &Value) -> Vec<Order> {
        let text = |path: &str| p.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (target, session) = (text("/targetInfo/targetId"), text("/sessionId"));
        if target.is_empty() || session.is_empty() || self.tabs.iter().any(|t| t.target == target) {
            return Vec::new();
        }
        if self.tabs.len() >= TABS {
            let params = json!({ "targetId": target });
            return vec![Order { session: None, method: "Target.closeTarget", params }];
        }
        let enable =
            |method: &'static str, params: Value| Order { session: Some(session.clone()), method, params };
        let orders = vec![
            enable("Page.enable", json!({})),
            enable("Page.setLifecycleEventsEnabled", json!({ "enabled": true })),
            enable("Runtime.enable", json!({})),
            // A window that a page opened stands still, and its opener with it, until somebody says this.
            enable("Runtime.runIfWaitingForDebugger", json!({})),
        ];
        let (url, title) = (text("/targetInfo/url"), text("/targetInfo/title"));
        self.active.get_or_insert_with(|| target.clone());
        self.tabs.push(Tab { target, session, url, title, ..Tab::default() });
        orders
    }

    fn line(&mut self, event: &Event, level: &str, text: &str) {
        let target = self.tabs.iter().find(|t| Some(&t.session) == event.session.as_ref());
        let Some(target) = target.map(|t| t.target.clone()) else { return };
        while self.console.len() >= LINES {
            self.console.pop_front();
        }
        let (level, text) = (oc_text::visible(level, 20), oc_text::visible(text, LINE));
        self.console.push_back(Line { target, level, text });
    }

    fn download(&mut self, id: &str, name: &str) -> Vec<Order> {
        if self.downloads.len() >= DOWNLOADS {
            return give_up(id);
        }
        let (id, name, state) = (id.to_owned(), oc_text::visible(name, 200), "inProgress".to_owned());
        self.downloads.push(Download { id, name, state, received: 0.0 });
        Vec::new()
    }

    fn progress(&mut self, p: &Value) -> Vec<Order> {
        let id = p.get("guid").and_then(Value::as_str).unwrap_or_default();
        let state = p.get("state").and_then(Value::as_str).unwrap_or_default();
        let bytes = |name: &str| p.get(name).and_then(Value::as_f64).unwrap_or_default();
        let is_listed = match self.downloads.iter_mut().find(|d| d.id == id) {
            Some(download) => {
                download.state = oc_text::visible(state, 20);
                download.received = download.received.max(bytes("receivedBytes"));
                true
            }
            None => false,
        };
        let all: f64 = self.downloads.iter().map(|d| d.received).sum();
        let is_large = bytes("receivedBytes").max(bytes("totalBytes")) > DOWNLOAD || all > ALL_DOWNLOADS;
        if state == "inProgress" && (is_large || !is_listed) { give_up(id) } else { Vec::new() }
    }

    /// A proxy asks who this is: only the guard does, and only before the first page. A site's own question is not answered.
    fn challenge(&self, event: &Event) -> Vec<Order> {
        let text = |path: &str| event.params.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let answer = match &self.pass {
            Some(pass) if text("/authChallenge/source") == "Proxy" => json!({
                "response": "ProvideCredentials", "username": crate::guard::USER, "password": pass.secret.expose(),
            }),
            _ => json!({ "response": "CancelAuth" }),
        };
        let params = json!({ "requestId": text("/requestId"), "authChallengeResponse": answer });
        order(event, "Fetch.continueWithAuth", params)
    }
}

/// A download that is wanted no more.
fn give_up(id: &str) -> Vec<Order> {
    vec![Order { session: None, method: "Browser.cancelDownload", params: json!({ "guid": id }) }]
}

fn order(event: &Event, method: &'static str, params: Value) -> Vec<Order> {
    vec![Order { session: event.session.clone(), method, params }]
}

/// An argument of a console line in words.
fn shown(argument: &Value) -> String {
    let value = argument.get("value");
    let description = argument.get("description").and_then(Value::as_str);
    match (value, description) {
        (Some(Value::String(text)), _) => text.chars().take(LINE).collect(),
        (_, Some(text)) => text.chars().take(LINE).collect(),
        (Some(value), None) => value.to_string(),
        (None, None) => argument.get("type").and_then(Value::as_str).unwrap_or_default().to_owned(),
    }
}
