//! A launchd job of the user.

use super::Service;

/// Where programs are looked for: launchd gives its jobs a short list that lacks the places of package managers.
const PATH: &str = "/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin:/usr/sbin:/sbin";
/// Seconds between two starts.
const THROTTLE: u32 = 5;
/// `0077`, as launchd takes it: in decimal.
const UMASK: u32 = 0o077;

/// The text of the job. The gateway keeps its own log, so what it says on its streams goes nowhere.
#[must_use]
pub fn text(service: &Service) -> String {
    let label = service.kind().label(service.profile());
    let mut arguments = String::new();
    for word in service.command_line() {
        arguments.push_str(&format!("    <string>{}</string>\n", escaped(word)));
    }
    let mut environment = String::new();
    let path = Some(("PATH", PATH)).filter(|_| !service.environment().iter().any(|(n, _)| n == "PATH"));
    let own = service.environment().iter().map(|(n, v)| (n.as_str(), v.as_str()));
    for (name, value) in path.into_iter().chain(own) {
        environment.push_str(&format!("    <key>{name}</key>\n    <string>{}</string>\n", escaped(value)));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n\
         <dict>\n\
         \x20 <key>Label</key>\n\
         \x20 <string>{}</string>\n\
         \x20 <key>ProgramArguments</key>\n\
         \x20 <array>\n\
         {arguments}\
         \x20 </array>\n\
         \x20 <key>EnvironmentVariables</key>\n\
         \x20 <dict>\n\
         {environment}\
         \x20 </dict>\n\
         \x20 <key>RunAtLoad</key>\n\
         \x20 <true/>\n\
         \x20 <key>KeepAlive</key>\n\
         \x20 <true/>\n\
         \x20 <key>ThrottleInterval</key>\n\
         \x20 <integer>{THROTTLE}</integer>\n\
         \x20 <key>ProcessType</key>\n\
         \x20 <string>Background</string>\n\
         \x20 <key>Umask</key>\n\
         \x20 <integer>{UMASK}</integer>\n\
         \x20 <key>StandardOutPath</key>\n\
         \x20 <string>/dev/null</string>\n\
         \x20 <key>StandardErrorPath</key>\n\
         \x20 <string>/dev/null</string>\n\
         </dict>\n\
         </plist>\n",
        escaped(&label)
    )
}

/// Text of an element. Characters that XML 1.0 has no spelling for become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
