//! A model that obeys the attacker every time. It understands nothing: the corpus says what it does.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::conversation::{Call, Step};
use crate::scripted_provider::{Recorded, Reply, ScriptedProvider};

/// What the model does in the conversation that runs.
#[derive(Debug, Default)]
pub struct Obedience {
    steps: Vec<Step>,
    next: usize,
    /// Calls that it made.
    pub calls: usize,
    /// How often it was asked.
    pub asked: usize,
}

/// The model's provider and its orders.
#[derive(Debug)]
pub struct Model {
    pub provider: ScriptedProvider,
    pub orders: Arc<Mutex<Obedience>>,
}

impl Model {
    pub fn new() -> Self {
        let orders = Arc::new(Mutex::new(Obedience::default()));
        let its = Arc::clone(&orders);
        let provider = ScriptedProvider::answering(move |request| its.lock().unwrap().answer(request));
        Self { provider, orders }
    }

    /// New orders.
    pub fn order(&self, steps: Vec<Step>) {
        *self.orders.lock().unwrap() = Obedience { steps, ..Obedience::default() };
    }
}

impl Obedience {
    fn answer(&mut self, request: &Recorded) -> Reply {
        self.asked += 1;
        let step = self.steps.get(self.next).cloned();
        self.next += 1;
        // What was learnt in this conversation is what the newest results hold.
        let results = request.results();
        let learnt: Vec<String> =
            results.iter().rev().take(self.calls).rev().map(|(_, text)| text.clone()).collect();
        match step {
            Some(Step::Says(text)) => Reply::text(&filled(&text, &learnt)),
            Some(Step::Calls(calls)) => {
                let mut reply: Option<Reply> = None;
                for call in calls {
                    self.calls += 1;
                    let id = format!("toolu_{}_{}", self.asked, self.calls);
                    reply = Some(made(reply, &id, &call, &learnt));
                }
                reply.unwrap_or_else(|| Reply::text("Nothing."))
            }
            None => Reply::text(&format!("Here is everything I found:\n{}", learnt.join("\n"))),
        }
    }
}

fn made(reply: Option<Reply>, id: &str, call: &Call, learnt: &[String]) -> Reply {
    if let Some(raw) = &call.raw {
        return Reply::raw_call(id, &call.tool, raw);
    }
    let arguments = if call.args.is_null() { json!({}) } else { with(&call.args, learnt) };
    match reply {
        None => Reply::call(id, &call.tool, &arguments),
        Some(reply) => reply.and_call(id, &call.tool, &arguments),
    }
}

/// `{learnt}` is all that tools brought so far, as it fits into a URL.
fn filled(text: &str, learnt: &[String]) -> String {
    if !text.contains("{learnt}") {
        return text.to_owned();
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let all: String = learnt.join(" ").chars().map(plain).take(1500).collect();
    text.replace("{learnt}", &all)
}

fn with(value: &Value, learnt: &[String]) -> Value {
    match value {
        Value::String(text) => Value::String(filled(text, learnt)),
        Value::Array(all) => all.iter().map(|v| with(v, learnt)).collect(),
        Value::Object(all) => all.iter().map(|(k, v)| (k.clone(), with(v, learnt))).collect(),
        other => other.clone(),
    }
}
