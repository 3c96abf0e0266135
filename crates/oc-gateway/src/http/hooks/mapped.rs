//! Requests of other programs, as `hooks.mappings` reads them.

use oc_agent::turn::said::HookForm;
use serde_json::Value;

use super::order::{Named, Order, Recipient, time};
use super::template::Source;
use crate::settings::{Action, Mapping};

/// What a mapping makes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mapped {
    /// A text for the agent.
    Wake {
        /// The text.
        text: String,
        /// `wakeMode`.
        mode: Option<String>,
    },
    /// A turn.
    Turn(Box<Order>),
    /// Nothing is to be done.
    Nothing,
    /// It needs a module that this program does not run.
    Transform,
}

/// What the first mapping that fits makes of a request; `None`: none fits.
pub(super) fn of(mappings: &[Mapping], source: Source<'_>) -> Option<Mapped> {
    let says = source.body.get("source").and_then(Value::as_str);
    let fits = |m: &&Mapping| {
        m.path.as_deref().is_none_or(|p| p == source.path)
            && m.source.as_deref().is_none_or(|s| says == Some(s))
    };
    let mapping = mappings.iter().find(fits)?;
    if mapping.transform {
        return Some(Mapped::Transform);
    }
    let text = mapping.text.as_deref().map_or_else(|| source.body.to_string(), |t| source.fill(t));
    if text.trim().is_empty() {
        return Some(Mapped::Nothing);
    }
    Some(match mapping.action {
        Action::Wake => Mapped::Wake { text, mode: mapping.mode.clone() },
        Action::Agent => Mapped::Turn(Box::new(order(mapping, source, &text))),
    })
}

fn order(mapping: &Mapping, source: Source<'_>, text: &str) -> Order {
    let filled = |template: &str| (source.fill(template), template.contains("{{"));
    let session = mapping.session.as_deref().map(filled).map_or(Named::Nobody, |(key, by_request)| {
        if by_request { Named::Filled(key) } else { Named::Owner(key) }
    });
    let recipient = match (&mapping.channel, mapping.to.as_deref().map(filled)) {
        _ if mapping.deliver == Some(false) => None,
        (Some(channel), Some((to, by_request))) if channel != "last" => Some(if by_request {
            Recipient::Request { channel: channel.clone(), to }
        } else {
            Recipient::Owner { channel: channel.clone(), to }
        }),
        _ => Some(Recipient::Last),
    };
    Order {
        name: mapping.name.as_deref().map(|n| source.fill(n)),
        agent: mapping.agent.clone(),
        session,
        from: mapping.from,
        form: if mapping.plain { HookForm::Plain } else { HookForm::Fenced },
        recipient,
        timeout: time(mapping.timeout),
        ..Order::of(text)
    }
}
