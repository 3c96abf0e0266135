//! `openclaw exec check`: verdicts under a fixed policy, one by one or in batches.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use oc_approval::check::{Answer, Question, SafeBins, answer, answer_line, bad_request};
use oc_approval::decision::Verdict;
use oc_fs::host_view::Disk;

use crate::app::App;
use crate::rows::{Row, answer_rows};

/// Longest row, in bytes.
const MAX_ROW: usize = 1024 * 1024;

/// Arguments of `openclaw exec check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// One JSON question a line on standard input, one verdict a line out.
    #[arg(long, conflicts_with_all = ["json", "cwd", "safe_bin", "command"])]
    jsonl: bool,
    /// Print the verdict as JSON.
    #[arg(long)]
    json: bool,
    /// The working directory; default: the current one.
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// A listed program, instead of the default list. Repeatable.
    #[arg(long, value_name = "NAME")]
    safe_bin: Vec<String>,
    /// The command line, as one argument.
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "jsonl")]
    command: Option<String>,
}

/// Runs `openclaw exec check`.
///
/// # Errors
/// What cannot be read or written.
pub fn run(app: &App, args: &CheckArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        Some(command) => Ok(one(app, args, command)),
        None => rows(),
    }
}

fn one(app: &App, args: &CheckArgs, command: &str) -> ExitCode {
    let cwd = args.cwd.as_ref().map_or_else(|| app.cwd.clone(), |dir| app.cwd.join(dir));
    let pair = |name: &str| app.process.get(name).map(|v| (name.to_owned(), v.to_owned()));
    let question = Question {
        id: String::new(),
        cmd: command.to_owned(),
        cwd: cwd.to_string_lossy().into_owned(),
        env: std::collections::BTreeMap::new(),
        base_env: ["PATH", "HOME"].into_iter().filter_map(pair).collect(),
        safe_bins: if args.safe_bin.is_empty() {
            SafeBins::Unset
        } else {
            SafeBins::Names(args.safe_bin.clone())
        },
        allowlist: Vec::new(),
        pty: false,
    };
    let verdict = answer(&question, &Disk);
    if args.json {
        app.print(&format!("{}\n", serde_json::to_string_pretty(&verdict).unwrap_or_default()));
    } else {
        app.print(&text(&verdict));
    }
    match verdict.verdict {
        Verdict::Allow => ExitCode::SUCCESS,
        Verdict::Ask => ExitCode::from(10),
        Verdict::Deny => ExitCode::from(11),
    }
}

fn text(answer: &Answer) -> String {
    let word = answer.verdict.word();
    format!("{word} ({})\n", oc_text::visible::visible(&answer.reason, 400))
}

/// Answers every row. A row that cannot be read gets an answer too.
fn rows() -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    answer_rows(std::io::stdin().lock(), &mut out, MAX_ROW, |row| match row {
        Row::TooLong => bad_request(),
        Row::Line(line) => answer_line(line, &Disk),
    })?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
