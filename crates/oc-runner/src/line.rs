//! Starting the pipelines of a line: no shell, every executable checked before the first one starts.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::process::Pid;

use crate::executable::{Directory, Executable};
use crate::protocol::{Process, Program, Redirect, RunRequest, Step, When};
use crate::refusal::Refusal;

/// A checked line.
#[derive(Debug)]
pub struct Line {
    steps: Vec<Step>,
    environment: Vec<(String, String)>,
    directory: Directory,
}

/// Whether the processes of a pipeline get a group of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// One for each pipeline.
    Own,
    /// That of the starting process, which the terminal talks to.
    Same,
}

/// The three ends that a pipeline starts with.
#[derive(Debug)]
pub struct Ends {
    /// Standard input of the first process.
    pub input: OwnedFd,
    /// Standard output of the last one.
    pub out: OwnedFd,
    /// Standard error of all.
    pub err: OwnedFd,
}

impl Line {
    /// Checks a request: directory, shape, and every executable, so that nothing of the line runs when one of them changed.
    ///
    /// # Errors
    /// As [`Executable::open`] and [`Directory::open`]; `protocol` for an empty line.
    pub fn check(request: &RunRequest) -> Result<Self, Refusal> {
        let directory = Directory::open(&request.directory, request.directory_identity)?;
        let steps = steps(&request.program);
        let whole = !steps.is_empty() && steps.iter().all(|s| !s.commands.is_empty());
        let processes = steps.iter().flat_map(|s| &s.commands);
        if !whole || processes.clone().any(|p| p.argv.is_empty()) {
            return Err(Refusal::new("protocol", "an empty command"));
        }
        for process in processes {
            Executable::open(process)?;
        }
        Ok(Self { steps, environment: request.environment.clone(), directory })
    }

    /// Takes the next pipeline that runs after one that ended with `status` (`None` at the start).
    pub fn next_step(&mut self, status: Option<i32>) -> Option<Step> {
        while !self.steps.is_empty() {
            let step = self.steps.remove(0);
            let runs = match (step.when, status) {
                (When::Always, _) | (_, None) => true,
                (When::Succeeded, Some(code)) => code == 0,
                (When::Failed, Some(code)) => code != 0,
            };
            if runs {
                return Some(step);
            }
        }
        None
    }

    /// The only process of the line, when it has but one.
    pub fn only(&self) -> Option<&Process> {
        match self.steps.as_slice() {
            [Step { commands, .. }] => match commands.as_slice() {
                [one] => Some(one),
                _ => None,
            },
            _ => None,
        }
    }

    /// Starts a pipeline and returns its processes in order.
    ///
    /// # Errors
    /// What the system says; processes that were started before stay and are the caller's to end.
    pub fn start(
        &self,
        step: &Step,
        ends: Ends,
        group: Group,
        started: &mut Vec<Pid>,
    ) -> Result<(), Refusal> {
        let Ends { input, out, err } = ends;
        let mut input = input;
        let last = step.commands.len().saturating_sub(1);
        for (index, process) in step.commands.iter().enumerate() {
            let failed = |e: std::io::Error| Refusal::system("pipe", &e, "spawn-failed");
            let (own_out, next) = if index == last {
                (out.try_clone().map_err(failed)?, None)
            } else {
                let (reader, writer) = std::io::pipe().map_err(failed)?;
                (OwnedFd::from(writer), Some(OwnedFd::from(reader)))
            };
            let own = Ends { input, out: own_out, err: err.try_clone().map_err(failed)? };
            let executable = Executable::open(process)?;
            let mut command = self.command(process, &executable, own)?;
            if group == Group::Own {
                command.process_group(started.first().map_or(0, |pid| pid.as_raw_nonzero().get()));
            }
            // The command holds this process's copies of the ends; they go with it.
            let child = command.spawn().map_err(|e| refused(process, &e))?;
            drop(command);
            if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                started.push(pid);
            }
            match next {
                Some(reader) => input = reader,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Becomes the only process of the line; returns only when that failed.
    pub fn become_process(&self, process: &Process, ends: Ends) -> Refusal {
        let started = Executable::open(process)
            .and_then(|executable| Ok((self.command(process, &executable, ends)?, executable)));
        match started {
            Ok((mut command, _executable)) => refused(process, &command.exec()),
            Err(refusal) => refusal,
        }
    }

    fn command(&self, process: &Process, executable: &Executable, ends: Ends) -> Result<Command, Refusal> {
        let Ends { mut input, mut out, mut err } = ends;
        let failed = |e: std::io::Error| Refusal::system("redirection", &e, "spawn-failed");
        for redirect in &process.redirections {
            match redirect {
                Redirect::OutToNull => out = null(OFlags::WRONLY)?,
                Redirect::ErrToNull => err = null(OFlags::WRONLY)?,
                Redirect::ErrToOut => err = out.try_clone().map_err(failed)?,
                Redirect::OutToErr => out = err.try_clone().map_err(failed)?,
                Redirect::From(path) => input = self.open_input(path)?,
            }
        }
        let Some((name, arguments)) = process.argv.split_first() else {
            return Err(Refusal::new("protocol", "an empty command"));
        };
        let mut command = Command::new(&executable.path);
        command
            .arg0(name)
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().chain(&process.environment).map(|(k, v)| (k, v)))
            .current_dir(&self.directory.path)
            .stdin(Stdio::from(input))
            .stdout(Stdio::from(out))
            .stderr(Stdio::from(err));
        Ok(command)
    }

    /// A file as standard input: a regular one or a character device, never one that would wait for a writer.
    fn open_input(&self, path: &str) -> Result<OwnedFd, Refusal> {
        let failed = |e: rustix::io::Errno| Refusal::system(path, &e.into(), "failed");
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = match &self.directory.handle {
            Some(directory) => rustix::fs::openat(directory, path, flags, Mode::empty()),
            None => rustix::fs::open(self.directory.path.join(path), flags, Mode::empty()),
        };
        let opened = opened.map_err(failed)?;
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&opened).map_err(failed)?.st_mode);
        if !matches!(kind, FileType::RegularFile | FileType::CharacterDevice) {
            return Err(Refusal::new("not-regular", format!("{path} is not a regular file")));
        }
        rustix::fs::fcntl_setfl(&opened, OFlags::RDONLY).map_err(failed)?;
        Ok(opened)
    }
}

/// The null device.
///
/// # Errors
/// When it cannot be opened.
pub fn null(flags: OFlags) -> Result<OwnedFd, Refusal> {
    let opened =
        File::options().read(flags == OFlags::RDONLY).write(flags == OFlags::WRONLY).open("/dev/null");
    opened.map(OwnedFd::from).map_err(|e| Refusal::system("/dev/null", &e, "spawn-failed"))
}

fn steps(program: &Program) -> Vec<Step> {
    match program {
        Program::Analysed { steps } => steps.clone(),
        Program::Shell { shell, text } => vec![Step {
            when: When::Always,
            commands: vec![Process {
                executable: shell.clone(),
                identity: None,
                argv: vec![shell.clone(), "-c".to_owned(), text.clone()],
                environment: Vec::new(),
                redirections: Vec::new(),
            }],
        }],
    }
}

fn refused(process: &Process, error: &std::io::Error) -> Refusal {
    Refusal::system(&format!("cannot start {}", process.executable), error, "spawn-failed")
}
