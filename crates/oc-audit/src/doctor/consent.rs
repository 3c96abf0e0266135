//! Which repairs a run carries out (audit spec 3, "Prompt rules", with the product's resolutions).

use super::Repair;

/// How doctor was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--repair` or `--fix`.
    pub repair: bool,
    /// `--yes`.
    pub yes: bool,
    /// `--non-interactive`, or standard input is no terminal and `--yes` was not given.
    pub non_interactive: bool,
    /// `--generate-gateway-token`.
    pub generate_token: bool,
}

/// What to do with a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Carry it out.
    Yes,
    /// Ask.
    Ask,
    /// Only report it.
    No,
}

/// Whether a repair is carried out.
///
/// * Modes and missing directories: with `--repair` or `--yes`, without asking (issue: `--repair` sets 0700/0600 without asking).
/// * A token: with `--generate-gateway-token` alone, with `--yes`, or with `--repair` at a terminal; never by a plain non-interactive run.
/// * Keys: moving an older key with `--repair` or `--yes`; removing an unknown key as well.
/// * Moving a directory: asked for, or `--yes`; `--repair` at a terminal counts as yes.
#[must_use]
pub fn decide(flags: Flags, repair: &Repair) -> Consent {
    let repairing = flags.repair || flags.yes;
    match repair {
        Repair::GenerateToken if flags.generate_token || flags.yes => Consent::Yes,
        Repair::GenerateToken | Repair::MoveDirectory { .. } if flags.non_interactive => {
            if flags.yes {
                Consent::Yes
            } else {
                Consent::No
            }
        }
        _ if repairing => Consent::Yes,
        _ if flags.non_interactive => Consent::No,
        _ => Consent::Ask,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Flags = Flags { repair: false, yes: false, non_interactive: true, generate_token: false };

    fn chmod() -> Repair {
        Repair::Chmod { path: "/x".into(), mode: 0o600 }
    }

    #[test]
    fn a_plain_run_without_a_terminal_changes_nothing() {
        assert_eq!(decide(PLAIN, &chmod()), Consent::No);
        assert_eq!(decide(PLAIN, &Repair::GenerateToken), Consent::No);
    }

    #[test]
    fn repair_sets_modes_without_asking_but_makes_no_token() {
        let flags = Flags { repair: true, ..PLAIN };
        assert_eq!(decide(flags, &chmod()), Consent::Yes);
        assert_eq!(decide(flags, &Repair::GenerateToken), Consent::No);
    }

    #[test]
    fn the_token_flag_alone_makes_a_token() {
        let flags = Flags { generate_token: true, ..PLAIN };
        assert_eq!(decide(flags, &Repair::GenerateToken), Consent::Yes);
        assert_eq!(decide(flags, &chmod()), Consent::No);
    }

    #[test]
    fn at_a_terminal_a_plain_run_asks() {
        let flags = Flags { non_interactive: false, ..PLAIN };
        assert_eq!(decide(flags, &chmod()), Consent::Ask);
        assert_eq!(decide(flags, &Repair::GenerateToken), Consent::Ask);
    }
}
