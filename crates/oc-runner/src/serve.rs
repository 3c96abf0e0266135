//! The server: takes frames, hands commands to supervisors and file operations to threads, and sends back what they say.
//!
//! It ends everything when the executor goes away. As first process of a container it reaps whoever is left to it. Nothing that a
//! command does can hold it up: a supervisor that does not read, or that was stopped, is ended by force.

mod calls;
mod content;
mod files;
mod output;
mod supervisor;
mod watch;

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use self::calls::Calls;
use self::files::Files;
use self::output::Output;
use crate::protocol::frame::{Decoder, Frame, Malformed};
use crate::protocol::{Kind, Reply, Request, VERSION};
use crate::refusal::Refusal;

/// How long the calls have to end after the executor went away, before they are ended by force.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves on standard input and output; file operations stay beneath `roots`.
pub fn main(roots: Vec<PathBuf>) -> ExitCode {
    // What asked for it may be a terminal's foreground job; commands get no terminal from it.
    crate::leader::harden();
    let output = Arc::new(Output::new());
    let files = Arc::new(Files::new(roots));
    let calls = Calls::start(Arc::clone(&output));
    let done = read_frames(&output, &calls, &files);
    calls.end_all(FAREWELL);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            output.reply(0, Refusal::new("protocol", e.to_string()).reply());
            ExitCode::from(1)
        }
    }
}

fn read_frames(output: &Arc<Output>, calls: &Arc<Calls>, files: &Arc<Files>) -> Result<(), Malformed> {
    let mut input = std::io::stdin().lock();
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        while let Some(frame) = decoder.next_frame()? {
            let call = frame.call;
            match take(frame, output, calls, files) {
                // The frames are whole; only this one means nothing.
                Err(Malformed::Body(why)) => {
                    let why = format!("a request that cannot be read: {why}");
                    output.reply(call, Refusal::new("protocol", why).reply());
                }
                other => other?,
            }
        }
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => decoder.push(buffer.get(..n).unwrap_or_default()),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return Ok(()),
        }
    }
}

fn take(frame: Frame, output: &Arc<Output>, calls: &Arc<Calls>, files: &Arc<Files>) -> Result<(), Malformed> {
    match frame.kind {
        Kind::Input => calls.forward(frame),
        Kind::Request => match frame.parse()? {
            Request::Hello { version } if version == VERSION => {
                // A second one: another executor took over; what the first one started is nobody's.
                calls.end_all(FAREWELL);
                output.reply(0, Reply::Ready { version: VERSION });
            }
            Request::Hello { version } => {
                let message = format!("version {version} is asked for, this runner speaks {VERSION}");
                output.reply(0, Refusal::new("protocol", message).reply());
            }
            Request::Run(request) => calls.run(&frame, &request),
            Request::File(request) => calls.file(frame.call, request, files),
            Request::Kill => calls.kill(&frame),
            Request::EndInput | Request::Resize { .. } | Request::Window { .. } => calls.forward(frame),
        },
        Kind::Reply | Kind::Output | Kind::Error => return Err(Malformed::Kind(frame.kind.byte())),
    }
    Ok(())
}
