//! Which agent is asked, in which session.

use data_encoding::HEXLOWER;
use hyper::HeaderMap;
use oc_types::AgentId;
use ring::digest;

use super::asked::{Asked, Wrong};
use crate::methods::Place;

/// Longest `user` that stands in a key as it is, in bytes.
const READABLE: usize = 64;

/// Where a turn takes place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The agent.
    pub agent: AgentId,
    /// The session, in its one form.
    pub key: String,
    /// Whether it is a session of this request alone.
    pub fresh: bool,
}

/// What stands before an agent's id in `model`, in any case.
const PREFIXES: [&str; 4] = ["openclaw:", "openclaw/", "agent:", "agent/"];

/// The agent of `x-openclaw-agent-id` or of `model` (`openclaw:<id>`, `agent:<id>`), else the default one; the session of
/// `x-openclaw-session-key`, else one for each `user`, else one of its own. What names an agent or a session and cannot be read is refused:
/// nobody else answers instead (SP-120).
pub(super) fn of(place: &Place, headers: &HeaderMap, asked: &Asked) -> Result<Found, Wrong> {
    let in_model = PREFIXES.iter().find_map(|prefix| {
        let (head, id) = asked.model.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then_some(id)
    });
    let named = match (header(headers, "x-openclaw-agent-id")?, in_model) {
        (Some(a), Some(b)) if AgentId::normalized(a) != AgentId::normalized(b) => {
            return Err(Wrong::new(Some("model"), "x-openclaw-agent-id and model name two agents"));
        }
        (a, b) => a.or(b),
    };
    let agent = match named {
        None => None,
        Some(id) => {
            let known = AgentId::strict(id).ok().filter(|agent| place.agents().contains(agent));
            let why = || format!("there is no agent `{}`", oc_text::visible(id, 64));
            Some(known.ok_or_else(|| Wrong {
                status: 404,
                code: Some("model_not_found"),
                ..Wrong::new(Some("model"), why())
            })?)
        }
    };
    if let Some(key) = header(headers, "x-openclaw-session-key")? {
        let (of_key, key) =
            place.session_for_turn(key).map_err(|failure| Wrong::new(None, failure.message))?;
        if agent.is_some_and(|named| named != of_key) {
            return Err(Wrong::new(None, "x-openclaw-session-key is a session of another agent"));
        }
        return Ok(Found { agent: of_key, key, fresh: false });
    }
    let agent = agent.unwrap_or_else(|| place.default_agent());
    let (rest, fresh) = match &asked.user {
        Some(user) => (format!("openai-user:{}", part(user)), false),
        None => (format!("openai:{}", uuid::Uuid::new_v4().simple()), true),
    };
    let key = format!("agent:{agent}:{rest}");
    Ok(Found { agent, key, fresh })
}

/// A header that is there once with a text, or not at all.
fn header<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>, Wrong> {
    let mut all = headers.get_all(name).iter();
    let Some(first) = all.next() else { return Ok(None) };
    let text = first.to_str().ok().map(str::trim).filter(|t| !t.is_empty());
    match (text, all.next()) {
        (Some(text), None) => Ok(Some(text)),
        (_, Some(_)) | (None, None) => {
            Err(Wrong::new(None, format!("{name} has to stand there once, with a text, or not at all")))
        }
    }
}

/// A `user` as a part of a key: two users never share one, and none is more than a part.
fn part(user: &str) -> String {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    if user.len() <= READABLE && user.bytes().all(plain) {
        return user.to_owned();
    }
    // A full stop is in no readable one.
    format!("sha256.{}", HEXLOWER.encode(digest::digest(&digest::SHA256, user.as_bytes()).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::super::asked::Voice;
    use super::*;
    use crate::methods::transcripts::place;
    use serde_json::{Value, json};

    fn found(headers: &[(&'static str, &str)], body: &Value) -> Result<Found, Wrong> {
        let tmp = tempfile::tempdir().unwrap();
        let here = place(tmp.path(), json!({"agents": {"list": [{"id": "main"}, {"id": "ops"}]}}));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let asked = Asked::of(body, vec![(Voice::User, "x".to_owned())], "messages").unwrap();
        of(&here, &map, &asked)
    }

    #[test]
    fn agent_and_session_come_from_model_and_headers() {
        for (model, agent) in [
            ("openclaw", "main"),
            ("openclaw:ops", "ops"),
            ("agent:ops", "ops"),
            ("openclaw/ops", "ops"),
            ("agent/ops", "ops"),
            ("OpenClaw:Ops", "ops"),
            ("AGENT/ops", "ops"),
            ("gpt-4o", "main"),
        ] {
            let found = found(&[], &json!({ "model": model })).unwrap();
            assert!(found.fresh && found.agent.as_str() == agent, "{model}");
            assert!(found.key.starts_with(&format!("agent:{agent}:openai:")), "{model}");
        }
        assert_eq!(found(&[], &json!({ "model": "openclaw:nobody" })).unwrap_err().status, 404);
        assert!(found(&[("x-openclaw-agent-id", "main")], &json!({ "model": "openclaw:ops" })).is_err());
        let keyed = |key| found(&[("x-openclaw-session-key", key)], &json!({ "model": "openclaw:ops" }));
        assert_eq!(keyed("agent:ops:work").unwrap().key, "agent:ops:work");
        assert!(keyed("agent:main:main").is_err(), "of another agent");
        assert!(keyed("agent:nobody:main").is_err());
    }

    #[test]
    fn sp_120_what_names_an_agent_and_cannot_be_read_is_refused() {
        for name in ["x-openclaw-agent-id", "x-openclaw-session-key"] {
            for value in ["", "  ", "op\u{e9}s"] {
                let wrong = found(&[(name, value)], &json!({})).unwrap_err();
                assert!(wrong.status == 400 && wrong.why.contains(name), "{name} {value:?}: {wrong:?}");
            }
        }
        for model in ["openclaw:", "Agent/ ", "openclaw:nobody", "OPENCLAW:../main"] {
            assert_eq!(found(&[], &json!({ "model": model })).unwrap_err().status, 404, "{model}");
        }
        let mut twice = HeaderMap::new();
        twice.append("x-openclaw-agent-id", "ops".parse().unwrap());
        twice.append("x-openclaw-agent-id", "main".parse().unwrap());
        assert!(header(&twice, "x-openclaw-agent-id").is_err());
        let said = || vec![(Voice::User, "x".to_owned())];
        for member in ["model", "user"] {
            for value in [json!({"id": "ops"}), json!(["ops"]), json!(5), json!(true), json!(" "), json!("")]
            {
                let wrong = Asked::of(&json!({ member: value }), said(), "messages").unwrap_err();
                assert_eq!((wrong.status, wrong.param), (400, Some(member)), "{value}");
            }
            assert!(Asked::of(&json!({ member: null }), said(), "messages").is_ok());
        }
    }

    #[test]
    fn a_user_is_one_part_of_a_key_and_no_other_users() {
        let key = |user: &str| found(&[], &json!({ "user": user })).unwrap().key;
        assert_eq!(key("ada"), "agent:main:openai-user:ada");
        let all = ["ada", "Ada", "ada:thread:1", "a/da", "main", &"a".repeat(65)].map(key);
        for (n, one) in all.iter().enumerate() {
            assert_eq!(one.matches(':').count(), 3, "{one}");
            assert!(all.iter().skip(n + 1).all(|other| other != one), "{one}");
        }
    }
}
