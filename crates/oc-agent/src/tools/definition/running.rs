//! `exec`, `process`.

use serde_json::json;

use super::{Entry, flag, integer, object, text, texts, word};

pub(super) const TABLE: &[Entry] = &[
    Entry {
        name: "exec",
        summary: "run a command",
        description: "Runs a command line. The rules of the owner decide whether it runs at once, after a person said yes, or not at all; a refusal is final: do \
                      not try the same thing in other words. After `yieldMs` a command goes on in the background and is looked after with `process`. \
                      `host`, `security`, `ask` can only ask for less than the session has.",
        schema: || {
            object(
                &["command"],
                &[
                    ("command", text("The command line")),
                    ("workdir", text("Where it runs; the workspace when absent")),
                    (
                        "env",
                        json!({ "type": "object", "additionalProperties": { "type": "string" },
                            "description": "More environment variables; those that change how programs are loaded are refused" }),
                    ),
                    ("yieldMs", integer("Milliseconds until it goes to the background (10000)", 0)),
                    ("background", flag("To the background at once")),
                    ("timeout", integer("Seconds until it is ended", 1)),
                    ("pty", flag("With a terminal, for programs that need one")),
                    (
                        "elevated",
                        flag("On the host although the session is sandboxed; only for approved senders"),
                    ),
                    ("host", word("Where", &["sandbox", "gateway", "node"])),
                    ("security", word("How strictly it is checked", &["deny", "allowlist", "full"])),
                    ("ask", word("When a person is asked", &["off", "on-miss", "always"])),
                    ("node", text("Which node, with host `node`")),
                ],
            )
        },
    },
    Entry {
        name: "process",
        summary: "look after commands in the background",
        description: "Looks after commands in the background. `list` names them; `poll` gives what is new, `log` lines of all of it; `write`, `submit`, `paste` \
                      and `send-keys` give input; `kill` ends one; `clear` and `remove` forget one that ended.",
        schema: || {
            object(
                &["action"],
                &[
                    (
                        "action",
                        word(
                            "What to do",
                            &[
                                "list",
                                "poll",
                                "log",
                                "write",
                                "send-keys",
                                "submit",
                                "paste",
                                "kill",
                                "clear",
                                "remove",
                            ],
                        ),
                    ),
                    ("sessionId", text("Which command; needed for everything but `list`")),
                    ("data", text("Input of `write`")),
                    ("keys", texts("Key names of `send-keys`, such as `Enter`, `C-c`, `Up`")),
                    ("hex", texts("Bytes of `send-keys`, hexadecimal")),
                    ("literal", text("Text of `send-keys`")),
                    ("text", text("Text of `paste`")),
                    ("bracketed", flag("Whether a paste is marked as one")),
                    ("eof", flag("Input ends after this")),
                    ("offset", integer("First line of `log`", 0)),
                    ("limit", integer("Most lines of `log`", 1)),
                ],
            )
        },
    },
];
