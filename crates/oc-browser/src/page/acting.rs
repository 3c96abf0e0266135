//! The kinds of `act`: what a hand would do, and waiting.

use std::time::Duration;

use serde_json::{Value, json};

use super::{BLANK, Drive};
use crate::action::{Act, Until};
use crate::answer::Answer;
use crate::cdp::CdpFailure;
use crate::cdp::method::{
    CallFunction, ContentQuads, Evaluate, Focus, InsertText, Key, Mouse, Navigate, ResolveNode,
    ScrollIntoView,
};
use crate::failure::BrowserFailure;
use crate::keys;
use crate::world::{Tab, World};

/// How long after an act a page may begin to go somewhere.
const BEGIN: Duration = Duration::from_millis(300);
/// How long a page may take to hear of the mouse.
const MOUSE: Duration = Duration::from_secs(5);
/// How often a text is looked for.
const LOOK: Duration = Duration::from_millis(150);
/// How long a script of a model may take.
const SCRIPT: Duration = Duration::from_secs(20);
/// The same within the page, without waiting, in milliseconds.
const SCRIPT_BUSY_MS: f64 = 5000.0;
/// Longest result of a script, in characters.
const RESULT: usize = 20_000;

/// Marks everything in a field.
const MARK: &str = "function() { \
    if (this.isContentEditable) { const r = document.createRange(); r.selectNodeContents(this); const s = getSelection(); \
        s.removeAllRanges(); s.addRange(r); return true; } \
    if (typeof this.select === 'function' && !this.disabled && !this.readOnly) { this.select(); return true; } \
    return false; }";
/// Chooses options by value or label; how many were chosen, -1 for what is no list.
const CHOOSE: &str = "function(values) { \
    if (!(this instanceof HTMLSelectElement) || this.disabled) return -1; \
    let n = 0; \
    for (const o of this.options) { const on = (values.includes(o.value) || values.includes(o.label)) && (this.multiple || n === 0); \
        o.selected = on; if (on) n++; } \
    this.dispatchEvent(new Event('input', { bubbles: true })); this.dispatchEvent(new Event('change', { bubbles: true })); \
    return n; }";
/// Whether a text is in the page.
const HOLDS: &str =
    "function(text) { return document.body ? document.body.innerText.includes(text) : false; }";

/// Does it.
pub(super) async fn act(drive: &Drive<'_>, tab: &Tab, act: &Act) -> Result<Answer, BrowserFailure> {
    let hand = Hand { drive, tab };
    match act {
        Act::Click { reference, double } => hand.click(reference, *double).await?,
        Act::Type { reference, text, submit } => hand.fill(reference, text, *submit).await?,
        Act::Press(key) => hand.press(key).await?,
        Act::Hover(reference) => hand.hover(reference).await?,
        Act::Select { reference, values } => hand.select(reference, values).await?,
        Act::Wait(until, time) => return hand.wait(until, *time).await,
        Act::Evaluate(script) => return hand.evaluate(script).await,
    }
    hand.afterwards().await
}

struct Hand<'d> {
    drive: &'d Drive<'d>,
    tab: &'d Tab,
}

impl Hand<'_> {
    async fn tell<M: crate::cdp::method::Method>(&self, method: &M) -> Result<M::Answer, BrowserFailure> {
        Ok(self.drive.running.cdp.call(Some(&self.tab.session), method).await?)
    }

    fn element(&self, reference: &str) -> Result<i64, BrowserFailure> {
        let unknown = || BrowserFailure::Reference(reference.to_owned());
        self.tab.refs.get(reference).copied().ok_or_else(unknown)
    }

    /// The middle of an element, in view.
    async fn middle(&self, reference: &str) -> Result<(f64, f64), BrowserFailure> {
        let backend_node_id = self.element(reference)?;
        let gone = |_| BrowserFailure::Reference(reference.to_owned());
        self.tell(&ScrollIntoView { backend_node_id }).await.map_err(gone)?;
        let quads = self.tell(&ContentQuads { backend_node_id }).await.map_err(gone)?.quads;
        let middle = quads.iter().find_map(|quad| match quad.as_slice() {
            [ax, ay, _, _, cx, cy, ..] => Some(((ax + cx) / 2.0, (ay + cy) / 2.0)),
            _ => None,
        });
        middle.ok_or(BrowserFailure::Element("it is not shown"))
    }

    async fn mouse(&self, kind: &'static str, (x, y): (f64, f64), count: i64) -> Result<(), BrowserFailure> {
        let pressed = kind != "mouseMoved";
        let event = Mouse {
            r#type: kind,
            x,
            y,
            button: pressed.then_some("left"),
            buttons: Some(i64::from(kind == "mousePressed")),
            click_count: pressed.then_some(count),
        };
        let told = self.drive.running.cdp.call_within(Some(&self.tab.session), &event, MOUSE).await;
        Ok(told.map(drop)?)
    }

    async fn click(&self, reference: &str, double: bool) -> Result<(), BrowserFailure> {
        let at = self.middle(reference).await?;
        self.mouse("mouseMoved", at, 0).await?;
        for count in 1..=(if double { 2 } else { 1 }) {
            self.mouse("mousePressed", at, count).await?;
            match self.mouse("mouseReleased", at, count).await {
                // A page that opens another tab or closes itself does not say that the button came up.
                Ok(()) | Err(BrowserFailure::Cdp(CdpFailure::Slow(_))) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    async fn hover(&self, reference: &str) -> Result<(), BrowserFailure> {
        let at = self.middle(reference).await?;
        self.mouse("mouseMoved", at, 0).await
    }

    async fn press(&self, key: &str) -> Result<(), BrowserFailure> {
        let [down, up]: [Key; 2] = keys::of(key).ok_or(BrowserFailure::Element("there is no such key"))?;
        self.tell(&down).await?;
        self.tell(&up).await.map(drop)
    }

    async fn fill(&self, reference: &str, text: &str, submit: bool) -> Result<(), BrowserFailure> {
        let backend_node_id = self.element(reference)?;
        let focused = self.tell(&Focus { backend_node_id }).await;
        focused.map_err(|_| BrowserFailure::Element("it takes no focus"))?;
        if self.on(reference, MARK, json!([])).await? != Value::Bool(true) {
            return Err(BrowserFailure::Element("it takes no text"));
        }
        if text.is_empty() {
            self.press("Delete").await?;
        } else {
            self.tell(&InsertText { text: text.to_owned() }).await?;
        }
        if submit { self.press("Enter").await } else { Ok(()) }
    }

    async fn select(&self, reference: &str, values: &[String]) -> Result<(), BrowserFailure> {
        match self.on(reference, CHOOSE, json!([{ "value": values }])).await?.as_i64() {
            Some(1..) => Ok(()),
            Some(0) => Err(BrowserFailure::Element("it has none of these options")),
            Some(_) | None => Err(BrowserFailure::Element("it is no list of options")),
        }
    }

    /// Calls a function of ours with an element as `this`, in our own world.
    async fn on(&self, reference: &str, function: &str, arguments: Value) -> Result<Value, BrowserFailure> {
        let backend_node_id = self.element(reference)?;
        let execution_context_id = self.drive.isolated(self.tab).await?;
        let gone = |_| BrowserFailure::Reference(reference.to_owned());
        let found = self.tell(&ResolveNode { backend_node_id, execution_context_id }).await.map_err(gone)?;
        let call = CallFunction {
            function_declaration: function.to_owned(),
            object_id: found.object.object_id,
            arguments,
            return_by_value: true,
            ..CallFunction::default()
        };
        Ok(self.tell(&call).await?.result.value.unwrap_or_default())
    }

    async fn holds(&self, text: &str) -> Result<bool, BrowserFailure> {
        let call = CallFunction {
            function_declaration: HOLDS.to_owned(),
            execution_context_id: Some(self.drive.isolated(self.tab).await?),
            arguments: json!([{ "value": text }]),
            return_by_value: true,
            ..CallFunction::default()
        };
        Ok(self.tell(&call).await?.result.value == Some(Value::Bool(true)))
    }

    async fn wait(&self, until: &Until, time: Duration) -> Result<Answer, BrowserFailure> {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (text, wanted) = match until {
            Until::Over => {
                tokio::time::sleep(time).await;
                return self.afterwards().await;
            }
            Until::Text(text) => (text, true),
            Until::Gone(text) => (text, false),
        };
        let looking = async {
            // A page that goes elsewhere meanwhile has no world for a moment.
            while !matches!(self.holds(text).await, Ok(holds) if holds == wanted) {
                if self.drive.tab(Some(&self.tab.target)).is_err() {
                    return Err(BrowserFailure::NoTab);
                }
                tokio::time::sleep(LOOK).await;
            }
            Ok(())
        };
        tokio::time::timeout(time, looking).await.unwrap_or(Err(BrowserFailure::Waited(millis)))?;
        self.afterwards().await
    }

    async fn evaluate(&self, script: &str) -> Result<Answer, BrowserFailure> {
        if !self.drive.settings.evaluate {
            return Err(BrowserFailure::EvaluateOff);
        }
        let expression = format!(
            "(async () => {{ const f = ({script}\n); return typeof f === 'function' ? await f() : f; }})()"
        );
        let run =
            Evaluate { expression, return_by_value: true, await_promise: true, timeout: SCRIPT_BUSY_MS };
        let done = self.drive.running.cdp.call_within(Some(&self.tab.session), &run, SCRIPT).await?;
        let (said, text) = match done.exception_details {
            Some(thrown) => {
                let words = thrown.pointer("/exception/description").or(thrown.get("text"));
                ("The script threw.", words.and_then(Value::as_str).unwrap_or_default().to_owned())
            }
            None => {
                let value = done.result.value.map(|v| v.to_string());
                ("The script gave:", value.or(done.result.description).unwrap_or_default())
            }
        };
        let cut = text.chars().count() > RESULT;
        let page = self.drive.place(&self.tab.target, text.chars().take(RESULT).collect()).await;
        let notes = if cut { vec!["cut: the result is longer".to_owned()] } else { Vec::new() };
        Ok(Answer { said: said.to_owned(), page: Some(page), notes, picture: None })
    }

    /// Where the tab is when it came to rest. A tab that was led to something that is no web page is emptied.
    async fn afterwards(&self) -> Result<Answer, BrowserFailure> {
        let target = &self.tab.target;
        let begins = |world: &World| world.tab(Some(target)).is_none_or(|t| t.loading).then_some(());
        if self.drive.running.until(BEGIN, begins).await.is_some() {
            self.drive.settled(target).await;
        }
        self.drive.refresh().await;
        let Ok(tab) = self.drive.tab(Some(target)) else {
            return Ok(Answer::said("Done; the tab is closed."));
        };
        if tab.failed {
            return Ok(Answer::said("Done; the page that it led to was not reached."));
        }
        if self.drive.web(Some(target)).is_err() {
            let blank = Navigate { url: BLANK.to_owned() };
            let _ = self.drive.running.cdp.call(Some(&tab.session), &blank).await;
            return Ok(Answer::said(
                "Done; the tab was led to something that is no web page and is empty now.",
            ));
        }
        Ok(Answer {
            said: "Done.".to_owned(),
            page: Some(self.drive.place(target, String::new()).await),
            ..Answer::default()
        })
    }
}
