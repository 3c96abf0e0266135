//! What goes out: plain text in lines that fit, and the server's word that it took them.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;

use super::line::{Line, is_target, kept, write};
use super::link::Link;
use super::{Irc, SERVICE, STEP};
use crate::adapter::{AdapterFailure, Destination, Outgoing, Sent};
use crate::markdown::{Plain, render};

/// Longest line with its end, in bytes.
const LINE: usize = 512;
/// Most lines of one message; what is more is cut, and said.
const MOST: usize = 60;
/// The shortest room for text that a line leaves, in bytes.
const LEAST: usize = 64;

pub(super) async fn message(irc: &Irc, to: &Destination, message: &Outgoing) -> Result<Sent, AdapterFailure> {
    let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: irc.scrub(why) };
    let link = irc.link().ok_or_else(|| irc.unavailable("not connected"))?;
    if message.file.is_some() {
        return Err(refused("IRC has no files"));
    }
    let _turn = irc.turn.lock().await;
    let conversation = to.conversation.as_str();
    let target = if conversation.contains('!') {
        let nick = conversation.split('!').next().unwrap_or_default();
        if !is_target(nick) {
            return Err(refused("the conversation names nobody"));
        }
        still_the_same(irc, &link, nick, conversation).await?;
        nick
    } else {
        conversation
    };
    let room = target.starts_with(|c: char| link.room_signs.contains(c));
    if !is_target(target) || !(room || conversation.contains('!')) {
        return Err(refused("the conversation is neither a channel nor a person"));
    }
    // `:mask PRIVMSG target :text\r\n`
    let around = link.mask_length().saturating_add(target.len()).saturating_add(" PRIVMSG :".len() + 4);
    let lines = split(&render(&message.text, &Plain), LINE.saturating_sub(around).max(LEAST));
    if lines.is_empty() {
        return Err(refused("there is nothing in it"));
    }
    let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    let limit = STEP.saturating_add(Duration::from_secs(2).saturating_mul(count));
    let mut answers = link.listen();
    for line in &lines {
        if !link.write(write("PRIVMSG", &[target], Some(line)), limit).await {
            return Err(irc.unavailable("the connection takes nothing"));
        }
    }
    // The server answers in order: what it has against the lines comes before this.
    let mark = format!("oc-{}", super::now_ms());
    link.write(write("PING", &[], Some(&mark)), limit).await;
    let waited = tokio::time::timeout(limit, async {
        loop {
            match answers.recv().await {
                Ok(line) if line.command == "PONG" && line.last() == mark => return Ok(()),
                Ok(line) if is_refusal(&line, target) => return Err(refused(line.last())),
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(irc.unavailable("the connection ended")),
            }
        }
    });
    match waited.await {
        Ok(done) => done.map(|()| Sent { id: None }),
        Err(_) => Err(irc.unavailable("the server did not say that it took the message")),
    }
}

/// No such nick or channel, cannot send, not in it, and their like.
fn is_refusal(line: &Line, target: &str) -> bool {
    let code =
        ["401", "402", "403", "404", "407", "408", "411", "412", "413", "415", "477", "482", "531", "716"];
    code.contains(&line.command.as_str())
        && (line.param(1).eq_ignore_ascii_case(target) || line.params.len() <= 2)
}

/// Asks who has the nick now, and compares with the mask that was admitted.
async fn still_the_same(irc: &Irc, link: &Link, nick: &str, mask: &str) -> Result<(), AdapterFailure> {
    let refused = |why: &str| Err(AdapterFailure::Refused { service: SERVICE, why: why.to_owned() });
    let mut answers = link.listen();
    if !link.write(write("USERHOST", &[nick], None), STEP).await {
        return Err(irc.unavailable("the connection takes nothing"));
    }
    let answer = tokio::time::timeout(STEP, async {
        loop {
            match answers.recv().await {
                Ok(line) if line.command == "302" => return Some(line),
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    let Ok(Some(line)) = answer.await else {
        return Err(irc.unavailable("the server did not say who has the nick"));
    };
    match userhost(line.last()).find(|(n, _)| n.eq_ignore_ascii_case(nick)) {
        None => refused("nobody has the nick now"),
        Some((n, host)) if format!("{n}!{host}").eq_ignore_ascii_case(mask) => Ok(()),
        Some(_) => refused("somebody else has the nick now"),
    }
}

/// `nick[*]=<+|->user@host ...`.
pub(super) fn userhost(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split_whitespace().filter_map(|entry| {
        let (nick, host) = entry.split_once('=')?;
        let host = host.strip_prefix(['+', '-'])?;
        Some((nick.trim_end_matches('*'), host))
    })
}

/// Lines of at most so many bytes, cut at a space where there is one near the end. Empty lines go.
pub(super) fn split(text: &str, most: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in text.split(['\n', '\r']) {
        let clean = kept(line);
        let mut rest = clean.trim_end();
        while !rest.is_empty() {
            let cut = if rest.len() <= most { rest.len() } else { cut(rest, most) };
            let (head, tail) = rest.split_at_checked(cut).unwrap_or((rest, ""));
            if !head.trim().is_empty() {
                out.push(head.trim_end().to_owned());
            }
            rest = tail.trim_start_matches(' ');
        }
    }
    if out.len() > MOST {
        let more = out.len().saturating_sub(MOST - 1);
        out.truncate(MOST - 1);
        out.push(format!("[{more} more lines were left out]"));
    }
    out
}

fn cut(text: &str, most: usize) -> usize {
    let fits = text.char_indices().map(|(i, _)| i).take_while(|i| *i <= most).last().unwrap_or(text.len());
    let space = text.get(..fits).and_then(|t| t.rfind(' ')).filter(|s| *s > fits / 2);
    // At least one character, however narrow the line.
    let first = text.chars().next().map_or(1, char::len_utf8);
    space.unwrap_or(fits).max(first)
}
