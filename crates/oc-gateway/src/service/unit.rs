//! A systemd user unit.
//!
//! What a unit holds back from the gateway it holds back from every tool that runs on the host as well. So it takes what no tool needs
//! (privileges through set-user-id programs, real-time scheduling, other system-call tables); a private `/tmp` and a read-only system are
//! left to the sandbox: the first would hide the log from the other commands, the second makes a user namespace, in which the engine's
//! socket and the native sandbox may no longer work.

use super::Service;

/// The text of the unit.
#[must_use]
pub fn text(service: &Service) -> String {
    let title = match service.profile() {
        Some(profile) => format!("{} ({})", service.kind().title(), profile.as_str()),
        None => service.kind().title().to_owned(),
    };
    // `:` keeps systemd from replacing `$` in the arguments.
    let mut words = service.command_line();
    let program = words.next().map(|p| quoted(&format!(":{p}"))).unwrap_or_default();
    let command = std::iter::once(program).chain(words.map(quoted)).collect::<Vec<_>>().join(" ");
    let mut environment = String::new();
    for (name, value) in service.environment() {
        environment.push_str(&format!("Environment={}\n", quoted(&format!("{name}={value}"))));
    }
    format!(
        "[Unit]\n\
         Description={}\n\
         After=network-online.target\n\
         Wants=network-online.target\n\
         \n\
         [Service]\n\
         Type=exec\n\
         ExecStart={command}\n\
         {environment}\
         Restart=always\n\
         RestartSec=5\n\
         TimeoutStopSec=10\n\
         KillMode=process\n\
         UMask=0077\n\
         NoNewPrivileges=yes\n\
         RestrictRealtime=yes\n\
         SystemCallArchitectures=native\n\
         \n\
         [Install]\n\
         WantedBy=default.target\n",
        title.replace('%', "%%")
    )
}

/// One word of a command line or of `Environment=`: in double quotes, C escapes, no specifiers.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '%' => out.push_str("%%"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The words of a command line, program first; then variables with their values.
pub type Read = (Vec<String>, Vec<(String, String)>);

/// The command line of a unit that this program wrote, and its variables. `None` for a unit of another form (written by hand or by another
/// program): then nobody should guess.
#[must_use]
pub fn read(text: &str) -> Option<Read> {
    let mut command = None;
    let mut environment = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("ExecStart=") {
            if command.is_some() {
                return None;
            }
            let mut line = words(rest)?;
            let program = line.first_mut()?;
            *program = program.strip_prefix(':')?.to_owned();
            command = Some(line);
        } else if let Some(rest) = line.strip_prefix("Environment=") {
            for word in words(rest)? {
                let (name, value) = word.split_once('=')?;
                environment.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    Some((command?, environment))
}

/// Quoted words, separated by one space.
fn words(text: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        if chars.next()? != '"' {
            return None;
        }
        let mut word = String::new();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => match chars.next()? {
                    c @ ('"' | '\\') => word.push(c),
                    _ => return None,
                },
                '%' => {
                    if chars.next()? != '%' {
                        return None;
                    }
                    word.push('%');
                }
                c => word.push(c),
            }
        }
        out.push(word);
        match chars.next() {
            None => return Some(out),
            Some(' ') => {}
            Some(_) => return None,
        }
    }
}
