//! What admits a program with its arguments: a harmless use of a listed program, the allow list, an installed skill.

use super::Work;
use super::resolve::{Found, Named};
use crate::environment::{SetBy, judge};
use crate::plan::{Executable, Form, Inner, Match, Miss, Segment};
use crate::program_form::{self, Unwrapped, interpreter_trust, unwrap};
use crate::safe_bin;
use crate::safe_bin::usage::{Argument, Input, Usage};

/// Most wrappers inside one another.
const MAX_DEPTH: usize = 4;

/// The last component of a path.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A command's words, once as they were made and once as the vector that is started.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub arguments: &'a [Argument],
    /// The texts of `arguments`.
    pub argv: &'a [String],
}

impl<'a> Words<'a> {
    /// From a command word on.
    fn from(self, at: usize) -> Self {
        Self {
            arguments: self.arguments.get(at..).unwrap_or_default(),
            argv: self.argv.get(at..).unwrap_or_default(),
        }
    }

    /// What follows the command word.
    fn operands(self) -> &'a [Argument] {
        self.arguments.get(1..).unwrap_or_default()
    }
}

impl Work<'_> {
    /// Judges a command. What it starts in turn is noted in the segment.
    ///
    /// # Errors
    /// Why nothing admits it; of several causes the one nearest to an admission.
    pub(super) fn admit(
        &self,
        found: &Found,
        words: Words<'_>,
        input: Input,
        segment: &mut Segment,
    ) -> Result<Match, Miss> {
        self.admit_at(found, words, 0, input, segment)
    }

    /// `at`: where the command word stands in the segment; more than 0 inside a wrapper.
    fn admit_at(
        &self,
        found: &Found,
        words: Words<'_>,
        at: usize,
        input: Input,
        segment: &mut Segment,
    ) -> Result<Match, Miss> {
        if segment.inner.len() > MAX_DEPTH {
            return Err(Miss::new("never-safe", "wrappers inside wrappers beyond the limit"));
        }
        let as_safe = self.safe_use(found, words, at, input, segment);
        if as_safe.is_ok() {
            return as_safe;
        }
        let listed = self
            .rules
            .allowlist
            .find(&found.executable, words.from(at).argv, self.ground.directory)
            .map(|pattern| Match::Allowlist(pattern.to_owned()))
            .or_else(|| self.skill(&found.executable));
        match listed {
            Some(by) => self.covers(found, words, at, input, segment).map(|()| by),
            None => as_safe,
        }
    }

    /// A use of a listed program that its profile proves harmless.
    fn safe_use(
        &self,
        found: &Found,
        words: Words<'_>,
        at: usize,
        input: Input,
        segment: &mut Segment,
    ) -> Result<Match, Miss> {
        let program = &found.executable;
        let name = base(&program.path);
        let is_listed =
            |entry: &String| entry == name || *entry == program.path || *entry == program.canonical;
        if !self.rules.safe_bins.iter().any(is_listed) {
            return Err(Miss::new("not-listed", name));
        }
        if found.named == Named::Path {
            return Err(Miss::new(
                "untrusted-dir",
                format!("{name} is named by a path that does not spell itself out"),
            ));
        }
        self.search.trusted(found, &self.rules.trusted_directories, self.request.home)?;
        // A link with a harmless name to a shell or a wrapper. The filters' own links (`awk` to `mawk`) and multi-call programs, which go
        // by the name they are called with, are what their names say.
        let target = base(&program.canonical);
        if target != name
            && !matches!(
                target,
                "mawk" | "gawk" | "original-awk" | "nawk" | "awk" | "busybox" | "toybox" | "coreutils"
            )
            && crate::program_name::is_never_safe(target)
        {
            return Err(Miss::new("never-safe", format!("{name} is a link to {target}")));
        }
        let operands = words.from(at).operands();
        if name == "env" && !operands.is_empty() && self.env_starts(operands) {
            return self.env_use(words, at, input, segment);
        }
        let usage = Usage { name, arguments: operands, input, terminal: self.request.terminal };
        safe_bin::judge(&usage, &self.rules.catalogue, &self.reads)?;
        Ok(Match::SafeBin)
    }

    /// Whether `env` is called as `env NAME=value ... COMMAND`.
    fn env_starts(&self, operands: &[Argument]) -> bool {
        let first = operands.first().map_or("", |a| a.text.as_str());
        !first.starts_with('-') && first.contains('=') && operands.iter().any(|a| !a.text.contains('='))
    }

    /// `env NAME=value COMMAND`: the assignments are harmless and the command is itself admitted (exec-approval 7.3).
    fn env_use(
        &self,
        words: Words<'_>,
        at: usize,
        input: Input,
        segment: &mut Segment,
    ) -> Result<Match, Miss> {
        let mut word = at + 1;
        while let Some((name, value)) = words.argv.get(word).and_then(|text| text.split_once('=')) {
            judge(name, value, SetBy::Line).map_err(|why| Miss::new("assignment", why))?;
            word += 1;
        }
        self.inner(words, word, input, segment)?;
        Ok(Match::SafeBin)
    }

    /// Whether an entry of the allow list, or a skill, covers these arguments.
    fn covers(
        &self,
        found: &Found,
        words: Words<'_>,
        at: usize,
        input: Input,
        segment: &mut Segment,
    ) -> Result<(), Miss> {
        let argv = words.from(at).argv;
        let names = [found.executable.path.as_str(), found.executable.canonical.as_str()];
        let form = match at {
            0 => segment.form,
            _ => program_form::form(&names, argv.get(1..).unwrap_or_default()),
        };
        match form {
            Form::Plain => Ok(()),
            Form::InlineCode => self.filter_code(found, words.from(at), input),
            Form::Interpreter => interpreter_trust(argv.get(1..).unwrap_or_default())
                .map_err(|why| Miss::new("never-safe", why)),
            Form::Wrapper => {
                let opaque = || {
                    Miss::new(
                        "never-safe",
                        format!("{} starts another program", base(&found.executable.path)),
                    )
                };
                // Both spellings of the name must be read as the same wrapper.
                let of = |path: &str| unwrap(base(path), argv);
                let (by_name, by_target) = (of(names[0]), of(names[1]));
                if by_name != by_target {
                    return Err(opaque());
                }
                match by_name {
                    Unwrapped::Nothing => Ok(()),
                    Unwrapped::Opaque => Err(opaque()),
                    Unwrapped::At(inner) => self.inner(words, at + inner, input, segment),
                }
            }
        }
    }

    /// Code in the arguments is never covered, except a program text of `awk` or `sed` that the built-in profile proves harmless (SP-143).
    fn filter_code(&self, found: &Found, words: Words<'_>, input: Input) -> Result<(), Miss> {
        let name = base(&found.executable.path);
        let code = || Miss::new("never-safe", format!("{name} with code in its arguments"));
        if !matches!(name, "awk" | "gawk" | "mawk" | "nawk" | "sed") {
            return Err(code());
        }
        let usage = Usage { name, arguments: words.operands(), input, terminal: self.request.terminal };
        safe_bin::judge(&usage, &self.rules.catalogue, &self.reads).map_err(|_| code())
    }

    /// The command that a wrapper starts.
    fn inner(&self, words: Words<'_>, at: usize, input: Input, segment: &mut Segment) -> Result<(), Miss> {
        let word = words.argv.get(at).map_or("", String::as_str);
        let found = self.search.find(word)?;
        let slot = segment.inner.len();
        segment.inner.push(Inner { at, executable: Some(found.executable.clone()), matched: None });
        let by = self.admit_at(&found, words, at, input, segment)?;
        if let Some(inner) = segment.inner.get_mut(slot) {
            inner.matched = Some(by);
        }
        Ok(())
    }

    /// A program of an installed skill, by the path recorded at its installation, never by its name (SP-182).
    fn skill(&self, executable: &Executable) -> Option<Match> {
        let name = base(&executable.path);
        self.rules
            .skills
            .iter()
            .any(|s| s.name == name && (s.path == executable.path || s.path == executable.canonical))
            .then_some(Match::Skill)
    }
}
