//! What the core tools take, for a client (agent-runtime 3). Unknown members are ignored, so none is forbidden.

use oc_sandbox::tools::CoreTool;
use serde_json::{Map, Value as Json, json};

use crate::offer::ToolOffer;

/// A core tool as a client sees it.
pub(super) fn offer(tool: CoreTool) -> ToolOffer {
    let (description, required, properties) = match tool {
        CoreTool::Exec => (
            "Runs a command. A rule or a person may have to allow it first; the call waits for that. A command that runs for long goes on in \
             the background, and `process` looks after it.",
            &["command"][..],
            exec(),
        ),
        CoreTool::Process => (
            "Looks after commands that run in the background: list them, read their output, give them input, end them.",
            &["action"][..],
            process(),
        ),
        CoreTool::Read => (
            "Reads a file: at most 2000 lines or 50 KiB at a time. Pictures are shown.",
            &["path"][..],
            json!({
                "path": {"type": "string", "description": "The file."},
                "offset": {"type": "integer", "minimum": 1, "description": "First line, from 1."},
                "limit": {"type": "integer", "minimum": 1, "description": "Most lines."},
            }),
        ),
        CoreTool::Write => (
            "Writes a file; what was in it is replaced.",
            &["path", "content"][..],
            json!({
                "path": {"type": "string", "description": "The file."},
                "content": {"type": "string", "description": "What it is to hold."},
            }),
        ),
        CoreTool::Edit => (
            "Replaces one piece of a file. The old text must be in it exactly once.",
            &["path", "oldText", "newText"][..],
            json!({
                "path": {"type": "string", "description": "The file."},
                "oldText": {"type": "string", "description": "The text that is there, exactly once."},
                "newText": {"type": "string", "description": "What takes its place."},
            }),
        ),
        CoreTool::ApplyPatch => (
            "Applies a patch to several files.",
            &["input"][..],
            json!({
                "input": {
                    "type": "string",
                    "description": "`*** Begin Patch` to `*** End Patch`, with sections `*** Add File: `, `*** Delete File: `, `*** Update File: `.",
                },
            }),
        ),
    };
    let schema = json!({"type": "object", "properties": properties, "required": required});
    ToolOffer {
        name: tool.name().to_owned(),
        description: Some(description.to_owned()),
        input_schema: members(schema),
        annotations: Some(json!({
            "readOnlyHint": tool == CoreTool::Read,
            "destructiveHint": tool != CoreTool::Read,
            "openWorldHint": tool == CoreTool::Exec,
        })),
        ..ToolOffer::default()
    }
}

fn members(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(members) => members,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => Map::new(),
    }
}

fn exec() -> Json {
    json!({
        "command": {"type": "string", "description": "The command line."},
        "workdir": {"type": "string", "description": "Working directory."},
        "env": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Variables; harmless names only.",
        },
        "timeout": {"type": "integer", "minimum": 1, "description": "Seconds until it is ended."},
        "yieldMs": {"type": "integer", "minimum": 0, "description": "Milliseconds until it goes on in the background."},
        "background": {"type": "boolean", "description": "Whether it goes to the background at once."},
        "pty": {"type": "boolean", "description": "Whether it gets a terminal."},
        "elevated": {"type": "boolean", "description": "Whether it wants to leave the sandbox; refused unless allowed."},
        "host": {"type": "string", "enum": ["sandbox", "gateway", "node"], "description": "Can only narrow."},
        "security": {"type": "string", "enum": ["deny", "allowlist", "full"], "description": "Can only narrow."},
        "ask": {"type": "string", "enum": ["off", "on-miss", "always"], "description": "Can only narrow."},
        "node": {"type": "string", "description": "Which node."},
    })
}

fn process() -> Json {
    json!({
        "action": {
            "type": "string",
            "enum": ["list", "poll", "log", "write", "send-keys", "submit", "paste", "kill", "clear", "remove"],
        },
        "sessionId": {"type": "string", "description": "Which command; for all actions but `list`."},
        "data": {"type": "string", "description": "Input of `write`."},
        "keys": {"type": "array", "items": {"type": "string"}, "description": "Keys of `send-keys`."},
        "hex": {"type": "array", "items": {"type": "string"}, "description": "Bytes of `send-keys`, hexadecimal."},
        "literal": {"type": "string", "description": "Literal text of `send-keys`."},
        "text": {"type": "string", "description": "Text of `paste`."},
        "bracketed": {"type": "boolean", "description": "Whether a paste is bracketed."},
        "eof": {"type": "boolean", "description": "Whether input ends after this."},
        "offset": {"type": "integer", "minimum": 0, "description": "First line of `log`."},
        "limit": {"type": "integer", "minimum": 1, "description": "Most lines of `log`."},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_are_described_as_they_are_read() {
        let all: Vec<Json> = CoreTool::ALL
            .into_iter()
            .map(|t| {
                let o = offer(t);
                json!({"name": o.name, "description": o.description, "inputSchema": o.input_schema, "annotations": o.annotations})
            })
            .collect();
        insta::assert_snapshot!(serde_json::to_string_pretty(&all).unwrap());
    }
}
