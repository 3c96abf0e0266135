//! The supervisor of one call: a process of its own, so that the call's tree can be told from every other one (SP-250).
//!
//! It is the child subreaper of what it starts, has one thread, and does everything without waiting: commands that it is
//! sent, output within the window, input, the timeout, the end. It speaks the same frames as the server that started it. When that
//! goes away it ends the tree and itself.

mod call;
mod job;
mod link;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::DumpableBehavior;

use self::call::Call;
use self::link::Link;
use crate::protocol::{Kind, Request};
use crate::tree;

/// Adopted zombies are reaped at least this often.
const TICK: Duration = Duration::from_millis(500);
/// Where the kernel has no process handles, the end of a process is looked for this often.
const BLIND_TICK: Duration = Duration::from_millis(3);

/// Supervises one call.
pub fn main() -> ExitCode {
    harden();
    let mut link = Link::new();
    let Some((number, mut call)) = begin(&mut link) else { return ExitCode::SUCCESS };
    while call.is_open() && link.is_open() {
        turn(number, &mut call, &mut link);
    }
    if !link.is_open() {
        tree::end_own(|_, _| {});
        return ExitCode::SUCCESS;
    }
    link.send_reply(number, &call.last_words());
    link.flush();
    ExitCode::SUCCESS
}

/// Out of reach of the commands: no signal of a terminal or a group arrives, nobody of the same user looks inside.
pub fn harden() {
    // None of these can stop the work; without the first orphans go to the server, which ends them.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = rustix::process::setsid();
}

/// Waits for the request.
fn begin(link: &mut Link) -> Option<(u32, Call)> {
    loop {
        link.wait();
        link.receive();
        if let Some(frame) = link.next_frame() {
            let Ok(Request::Run(request)) = frame.parse() else { return None };
            return Some((frame.call, Call::start(&request)));
        }
        if !link.is_open() {
            return None;
        }
    }
}

/// One round: wait for anything, then do all that can be done.
fn turn(number: u32, call: &mut Call, link: &mut Link) {
    while let Some(reply) = call.next_reply() {
        link.send_reply(number, &reply);
    }
    let tick = if call.job.is_blind() { BLIND_TICK } else { TICK };
    let limit = call.until_deadline(Instant::now()).map_or(tick, |left| left.min(tick));
    {
        let mut fds = Vec::new();
        link.interests(&mut fds);
        call.interests(link.has_room(), &mut fds);
        let limit = if call.is_settling(link.has_room()) { Duration::ZERO } else { limit };
        let mut fds: Vec<PollFd<'_>> =
            fds.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(limit.subsec_nanos()) };
        // An interruption is a round like any other.
        let _ = rustix::event::poll(&mut fds, Some(&timeout));
    }
    link.receive();
    while let Some(frame) = link.next_frame() {
        match frame.kind {
            Kind::Input => call.input(&frame.body),
            Kind::Request => match frame.parse() {
                Ok(Request::EndInput) => call.end_input(),
                Ok(Request::Window { bytes }) => call.grant(bytes),
                Ok(Request::Resize { columns, rows }) => call.resize(columns, rows),
                Ok(Request::Kill) => call.kill(),
                Ok(Request::Hello { .. } | Request::Run(_) | Request::File(_)) | Err(_) => {}
            },
            Kind::Reply | Kind::Output | Kind::Error => {}
        }
    }
    call.check_deadline(Instant::now());
    call.feed();
    while link.has_room() {
        let Some((kind, bytes)) = call.take_output() else { break };
        link.send(kind, number, &bytes);
    }
    call.advance();
    link.push();
}

/// What a poll waits for.
type Interest<'a> = (std::os::fd::BorrowedFd<'a>, PollFlags);
