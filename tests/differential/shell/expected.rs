//! What a line runs, by the reader's account: expansion, connectors and redirections written down a second time, plainly.

use std::fs;
use std::path::Path;

use oc_shell::{Command, Connector, Line, Piece, Redirection, Word};

use crate::world::{self, World};

/// The records of each pipeline that runs; nothing when a command word is no program of this world.
pub fn runs(world: &World, line: &Line) -> Option<Vec<Vec<String>>> {
    let known = |c: &Command| world.program(&plain(world, &c.words[0]));
    if !line.steps.iter().flat_map(|s| &s.pipeline.commands).all(|c| known(c).is_some()) {
        return None;
    }
    let mut ok = true;
    let mut groups = Vec::new();
    for step in &line.steps {
        let runs = match step.connector {
            Connector::Then => true,
            Connector::And => ok,
            Connector::Or => !ok,
        };
        if !runs {
            continue;
        }
        let last = step.pipeline.commands.len() - 1;
        let mut group = Vec::new();
        for (i, command) in step.pipeline.commands.iter().enumerate() {
            let started = start(world, command, i > 0, i < last);
            ok = started.is_some() && known(command)?;
            group.extend(started);
        }
        group.sort();
        groups.push(group);
    }
    Some(groups)
}

/// The record of a command; nothing when a file to read is missing, so that it is not started.
fn start(world: &World, command: &Command, from_pipe: bool, to_pipe: bool) -> Option<String> {
    let name = |pipe: bool, file: &str| if pipe { "pipe".to_owned() } else { file.to_owned() };
    let mut streams = [name(from_pipe, "in"), name(to_pipe, "out"), "err".to_owned()];
    for redirection in &command.redirections {
        match redirection {
            Redirection::OutToNull => streams[1] = "/dev/null".to_owned(),
            Redirection::ErrToNull => streams[2] = "/dev/null".to_owned(),
            Redirection::ErrToOut => streams[2] = streams[1].clone(),
            Redirection::OutToErr => streams[1] = streams[2].clone(),
            Redirection::From(word) => {
                let path = world.path("work").join(plain(world, word));
                fs::File::open(&path).ok()?;
                streams[0] = world.name(&path.canonicalize().ok()?);
            }
        }
    }
    let argv: Vec<String> = command.words.iter().flat_map(|w| expand(world, w)).collect();
    Some(world::record(&argv, &world::variables(&command.assignments), &streams))
}

/// The word with nothing but the tilde expanded.
fn plain(world: &World, word: &Word) -> String {
    let text = |p: &Piece| match p {
        Piece::Literal(text) => text.clone(),
        Piece::Home => world.home(),
        Piece::AnyRun => "*".to_owned(),
        Piece::AnyOne => "?".to_owned(),
        Piece::Class(inside) => format!("[{inside}]"),
    };
    word.pieces.iter().map(text).collect()
}

#[derive(Clone)]
enum Unit {
    One(char),
    AnyRun,
    AnyOne,
    Class(String),
}

fn expand(world: &World, word: &Word) -> Vec<String> {
    let literal = plain(world, word);
    if !word.is_pattern() {
        return vec![literal];
    }
    let mut units = Vec::new();
    for piece in &word.pieces {
        match piece {
            Piece::Literal(text) => units.extend(text.chars().map(Unit::One)),
            Piece::Home => units.extend(world.home().chars().map(Unit::One)),
            Piece::AnyRun => units.push(Unit::AnyRun),
            Piece::AnyOne => units.push(Unit::AnyOne),
            Piece::Class(inside) => units.push(Unit::Class(inside.clone())),
        }
    }
    let parts: Vec<&[Unit]> = units.split(|u| matches!(u, Unit::One('/'))).collect();
    let work = world.path("work");
    let mut found = vec![String::new()];
    for (i, part) in parts.iter().enumerate() {
        let is_last = i + 1 == parts.len();
        let mut next = Vec::new();
        for prefix in &found {
            next.extend(names(&work.join(prefix), part).into_iter().map(|name| format!("{prefix}{name}")));
        }
        if !is_last {
            next.retain(|p| p.is_empty() || work.join(p).is_dir());
            next.iter_mut().for_each(|p| p.push('/'));
        }
        found = next;
    }
    found.retain(|p| {
        if p.ends_with('/') { work.join(p).is_dir() } else { fs::symlink_metadata(work.join(p)).is_ok() }
    });
    found.sort();
    if found.is_empty() { vec![literal] } else { found }
}

/// Names in a directory that a part of a pattern matches; the part itself when it is no pattern.
fn names(directory: &Path, part: &[Unit]) -> Vec<String> {
    let literal: Option<String> =
        part.iter().map(|u| if let Unit::One(c) = u { Some(*c) } else { None }).collect();
    if let Some(literal) = literal {
        return vec![literal];
    }
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|n| !n.starts_with('.') || matches!(part.first(), Some(Unit::One('.'))))
        .filter(|n| matches(part, &n.chars().collect::<Vec<_>>()))
        .collect()
}

fn matches(units: &[Unit], name: &[char]) -> bool {
    match (units.split_first(), name.split_first()) {
        (None, _) => name.is_empty(),
        (Some((Unit::AnyRun, rest)), _) => (0..=name.len()).any(|n| matches(rest, &name[n..])),
        (Some((unit, rest)), Some((c, others))) => {
            let fits = match unit {
                Unit::One(own) => own == c,
                Unit::Class(inside) => class(inside, *c),
                Unit::AnyOne | Unit::AnyRun => true,
            };
            fits && matches(rest, others)
        }
        (Some(_), None) => false,
    }
}

fn class(inside: &str, c: char) -> bool {
    let (negated, members) = inside.strip_prefix('!').map_or((false, inside), |m| (true, m));
    let members: Vec<char> = members.chars().collect();
    let mut found = false;
    let mut i = 0;
    while i < members.len() {
        if members.get(i + 1) == Some(&'-') {
            found |= (members[i]..=members[i + 2]).contains(&c);
            i += 3;
        } else {
            found |= members[i] == c;
            i += 1;
        }
    }
    found != negated
}
