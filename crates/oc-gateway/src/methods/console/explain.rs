//! `explain.ask`.

use oc_config::what_if::{parse_set, parse_unset};
use oc_types::Explanation;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::invalid;
use crate::explain::{self, command, config, connection, message, sandbox, tool};
use crate::methods::{Call, Outcome, parse};
use crate::protocol::frame::Failure;
use crate::server::state::now_ms;

/// Most edits of one question.
const MAX_EDITS: usize = 64;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Subject {
    Tool,
    Command,
    Message,
    Sandbox,
    Config,
    Connection,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Ask {
    subject: Subject,
    #[serde(default)]
    question: Value,
    /// `PATH=JSON5`: answer as if it stood in the configuration.
    #[serde(default)]
    set: Vec<String>,
    /// `PATH`: answer as if it did not stand there.
    #[serde(default)]
    unset: Vec<String>,
}

/// `explain.ask {subject, question, set?, unset?}`: `{explanation}`, the object of `openclaw explain <subject> --json`.
pub fn ask(call: &Call) -> Outcome {
    let Ask { subject, question, set, unset } = parse("explain.ask", &call.params)?;
    if set.len() + unset.len() > MAX_EDITS {
        return Err(invalid(format_args!("at most {MAX_EDITS} edits")));
    }
    let mut edits = Vec::new();
    for text in &unset {
        edits.push(parse_unset(text).map_err(invalid)?);
    }
    for text in &set {
        edits.push(parse_set(text).map_err(invalid)?);
    }
    let request = &call.gateway.source.request;
    let loaded = explain::load(request, &edits);
    let valid = loaded.is_valid();
    let explanation: Result<Explanation, explain::Unanswerable> = match subject {
        Subject::Message => {
            let now = i64::try_from(now_ms()).unwrap_or(i64::MAX);
            message::explain(&loaded, &read(&question)?, now)
        }
        Subject::Config => config::explain(&loaded, &read(&question)?),
        Subject::Connection => connection::explain(&loaded, &read(&question)?, &call.gateway.interfaces),
        Subject::Tool if valid => tool::explain(&loaded, &read(&question)?),
        Subject::Sandbox if valid => sandbox::explain(&loaded, &read(&question)?),
        Subject::Command if valid => {
            let here = command::Here { environment: &request.environment, cwd: &request.cwd };
            command::explain(here, &loaded, &read(&question)?)
        }
        Subject::Tool => Ok(explain::refused(&loaded, "tool")),
        Subject::Sandbox => Ok(explain::refused(&loaded, "sandbox")),
        Subject::Command => Ok(explain::refused(&loaded, "command")),
    };
    Ok(json!({ "explanation": explanation.map_err(invalid)? }))
}

fn read<T: DeserializeOwned>(question: &Value) -> Result<T, Failure> {
    parse("explain.ask", question)
}
