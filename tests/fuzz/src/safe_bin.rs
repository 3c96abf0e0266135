//! What must hold for any profile text and any arguments. Run by the fuzz target, and over the committed corpus by a test of `oc-approval`.

use oc_approval::plan::Miss;
use oc_approval::safe_bin::catalogue::{Catalogue, CustomProfile, Standing, built_in, built_in_texts};
use oc_approval::safe_bin::judge;
use oc_approval::safe_bin::profile::Profile;
use oc_approval::safe_bin::reads::{ReadRule, Walk};
use oc_approval::safe_bin::usage::{Argument, Input, MadeBy, Terminal, Usage};

/// A read rule that refuses one name, or everything.
struct Only(Option<&'static str>);

impl ReadRule for Only {
    fn read(&self, operand: &str) -> Result<(), Miss> {
        match self.0 {
            Some(protected) if !operand.contains(protected) => Ok(()),
            _ => Err(Miss::new("protected-path", operand)),
        }
    }
    fn list(&self, operand: &str) -> Result<(), Miss> {
        self.read(operand)
    }
    fn walk(&self, operand: &str, _: Walk) -> Result<(), Miss> {
        self.read(operand)
    }
}

/// A profile text, or a program name and its arguments, one a line.
pub fn profile(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(profile) = Profile::parse(&text) {
        assert!(profile.names().next().is_some_and(|name| !name.is_empty()));
        assert!(profile.denied().all(|(names, why)| !names.is_empty() && !why.is_empty()));
        // A key that nobody knows is an error, whatever stands around it.
        assert!(Profile::parse(&format!("zz-nobody = 1\n{text}")).is_err());
    }
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let place = first.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    let count = built_in_texts().count();
    let name = match built_in(first) {
        Some(_) => first,
        None => built_in_texts().nth(place % count).map_or("ls", |(names, _)| names[0]),
    };
    let made_by = |line: &str| if line.starts_with('*') { MadeBy::Wildcard } else { MadeBy::Text };
    let arguments: Vec<Argument> = lines
        .map(|line| Argument { text: line.trim_start_matches('*').to_owned(), made_by: made_by(line) })
        .collect();
    arguments_hold(name, &arguments);
}

fn arguments_hold(name: &str, arguments: &[Argument]) {
    let with = |catalogue: &Catalogue, arguments: &[Argument], rule: Only, terminal: Terminal| {
        judge(&Usage { name, arguments, input: Input::Piped, terminal }, catalogue, &rule)
    };
    let plain = Catalogue::default();
    let open = || Only(Some("\u{0}"));
    let verdict = with(&plain, arguments, open(), Terminal::Absent);
    assert!(verdict.as_ref().err().is_none_or(|miss| !miss.word.is_empty()));
    // A terminal, a read rule that refuses, and a tighter configuration never allow more.
    let allowed = verdict.is_ok();
    assert!(allowed || with(&plain, arguments, open(), Terminal::Present).is_err());
    assert!(allowed || with(&plain, arguments, Only(None), Terminal::Absent).is_err());
    let flags = arguments.iter().map(|a| a.text.clone()).filter(|t| t.starts_with('-')).collect();
    let tight = CustomProfile { denied_flags: flags, max_positional: Some(1), ..CustomProfile::default() };
    let tight = Catalogue::new([(name.to_owned(), tight)]);
    assert!(allowed || with(&tight, arguments, open(), Terminal::Absent).is_err());
    // An option that no program has is never overlooked, unless the words are not options at all.
    let mut longer = arguments.to_vec();
    longer.insert(0, Argument { text: "--zz-nobody-has-this".to_owned(), made_by: MadeBy::Text });
    let texts_only = ["echo", "printf", "seq", "true", "false", "test"].contains(&name);
    assert!(texts_only || with(&plain, &longer, open(), Terminal::Absent).is_err(), "{name}");
    assert_eq!(plain.standing("bash"), Standing::NeverSafe);
}
