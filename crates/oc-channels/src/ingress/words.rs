//! What the ingress says by itself.

use oc_policy::inbound::Inbound;
use oc_text::visible;

/// The label of an id, by service.
fn label(message: &Inbound) -> &'static str {
    match message.channel.as_str() {
        "telegram" => "Your Telegram user id",
        "whatsapp" => "Your WhatsApp phone number",
        "discord" => "Your Discord user id",
        "slack" => "Your Slack user id",
        "signal" if message.sender.phone.is_some() => "Your Signal number",
        "signal" => "Your Signal id",
        "imessage" | "bluebubbles" => "Your iMessage sender id",
        "matrix" => "Your Matrix id",
        "mattermost" => "Your Mattermost user id",
        "msteams" => "Your Teams user id",
        "googlechat" => "Your Google Chat user id",
        "line" => "Your LINE user id",
        "irc" => "Your IRC account",
        _ => "Your sender id",
    }
}

/// The reply to a stranger: that access is not set up, their own id, the code, the owner's command; nothing else (channels 2).
#[must_use]
pub fn pairing_reply(message: &Inbound, id: &str, code: &str) -> String {
    let account = match message.account.as_str() {
        oc_types::AccountId::DEFAULT | "" => String::new(),
        other => format!(" --account {}", oc_types::AccountId::normalized(other)),
    };
    format!(
        "You have no access here yet.\n\n{}: {}\nPairing code: {code}\n\nAsk the owner to approve you with:\nopenclaw pairing approve {} {code}{account}",
        label(message),
        visible(id, 120),
        message.channel,
    )
}

/// An owner answered a pairing request.
pub(crate) fn pairing_answered(id: &str, channel: &oc_types::ChannelId, allowed: bool) -> String {
    let id = visible(id, 120);
    match allowed {
        true => format!("{id} may write to me on {channel} now."),
        false => format!("Refused: {id} on {channel}. They may ask again."),
    }
}

/// The text of an admitted sender is longer than anything is read.
pub(crate) const TOO_LONG: &str = "Your message is too long for me. Send it in parts, or as a file.";

/// The queue does not take the message.
pub(crate) const FULL: &str =
    "I am still busy with your earlier messages and did not take this one. Send it again later, or /stop.";

/// Messages that waited were dropped for newer ones.
pub(crate) const DROPPED: &str = "I am still busy: an earlier message of yours was dropped for a newer one.";

/// A run ended by the process's end after it had acted.
pub(crate) fn interrupted(text: &str) -> String {
    let about: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect();
    let about = if about.is_empty() { String::new() } else { format!(" (\"{}\")", visible(&about, 80)) };
    format!(
        "I was restarted while I worked on your message{about}. What I had begun may be half done, and I do not repeat it by myself. Check it, then ask again."
    )
}

/// An answer may or may not have arrived.
pub(crate) const IN_DOUBT: &str = "I was restarted while I sent my last answer. If a part of it is missing, ask me again; I do not send it twice.";

/// A defect of the program ended the run.
pub(crate) const BROKE: &str =
    "Something went wrong inside of me, and your message was not answered. The log says more.";

/// After `/stop`.
pub(crate) fn stopped(ran: bool, waited: usize) -> String {
    match (ran, waited) {
        (true, 0) => "Stopped.".to_owned(),
        (true, n) => format!("Stopped, and {n} waiting message(s) forgotten."),
        (false, 0) => "Nothing was running.".to_owned(),
        (false, n) => format!("Nothing was running; {n} waiting message(s) forgotten."),
    }
}
