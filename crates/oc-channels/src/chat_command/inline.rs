//! `/status`, `/whoami`, `/help`, `/commands` inside a longer message of an authorised sender (channels 6).

use super::ChatCommand;

/// A message that holds such commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inline {
    /// They, each once, in order.
    pub commands: Vec<ChatCommand>,
    /// The text without them.
    pub rest: String,
}

/// Takes the commands out; `None` when there is none. Only whole words count.
#[must_use]
pub fn inline(text: &str) -> Option<Inline> {
    if !text.contains('/') {
        return None;
    }
    let known = |word: &str| match word.to_ascii_lowercase().as_str() {
        "/status" => Some(ChatCommand::Status),
        "/whoami" | "/id" => Some(ChatCommand::Whoami),
        "/help" => Some(ChatCommand::Help),
        "/commands" => Some(ChatCommand::Commands),
        _ => None,
    };
    let mut commands = Vec::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut found = false;
        let kept: Vec<&str> = line
            .split(' ')
            .filter(|word| match known(word) {
                Some(command) => {
                    found = true;
                    if !commands.contains(&command) {
                        commands.push(command);
                    }
                    false
                }
                None => true,
            })
            .collect();
        lines.push(if found { kept.join(" ").trim().to_owned() } else { line.to_owned() });
    }
    (!commands.is_empty()).then(|| Inline { commands, rest: lines.join("\n").trim().to_owned() })
}
