//! Names without a profile, the class that is never safe, and profiles of the configuration.

use oc_approval::plan::Miss;
use oc_approval::safe_bin::catalogue::{Catalogue, CustomProfile, DEFAULT_SAFE_BINS, Standing};
use oc_approval::safe_bin::usage::Terminal;

use crate::line::{judged, plain, words};

fn catalogue(name: &str, profile: CustomProfile) -> Catalogue {
    Catalogue::new([(name.to_owned(), profile)])
}

fn with(catalogue: &Catalogue, line: &str) -> Result<(), Miss> {
    judged(&words(line), catalogue, Terminal::Absent)
}

#[test]
fn sp_160_only_a_profile_makes_a_name_safe() {
    let none = Catalogue::default();
    for name in DEFAULT_SAFE_BINS {
        assert_eq!(none.standing(name), Standing::BuiltIn, "{name}");
    }
    for name in ["frobnicate", "LS", "cat2", "rm", "capsh2"] {
        assert_eq!(none.standing(name), Standing::NoProfile, "{name}");
        assert_eq!(with(&none, &format!("'{name}' x")).unwrap_err().word, "no-profile", "{name}");
    }
    let wide = CustomProfile { max_positional: Some(9), ..CustomProfile::default() };
    for name in
        ["bash", "python3.12", "busybox", "nice", "xargs", "sudo", "perl5.36", "expect", "ssh", "timeout"]
    {
        let listed = catalogue(name, wide.clone());
        assert_eq!(listed.standing(name), Standing::NeverSafe, "{name}");
        assert_eq!(with(&listed, &format!("{name} x")).unwrap_err().word, "never-safe", "{name}");
    }
}

#[test]
fn sp_160_a_configured_profile_describes_a_filter() {
    let profile = CustomProfile {
        min_positional: Some(1),
        max_positional: Some(2),
        allowed_value_flags: Some(vec!["--width".to_owned(), "-w".to_owned()]),
        denied_flags: vec!["--out".to_owned()],
    };
    let own = catalogue("frob", profile);
    assert_eq!(own.standing("frob"), Standing::Configured);
    for line in ["frob x", "frob --width 5 x", "frob --width=5 x y", "frob -w 5 x", "frob -- x"] {
        assert_eq!(with(&own, line), Ok(()), "{line}");
    }
    for line in [
        "frob",
        "frob x y z",
        "frob --out x",
        "frob --out=x y",
        "frob --wid 5 x",
        "frob --other x",
        "frob -x y",
        "frob ./x",
        "frob /etc/passwd",
        "frob ~",
        "frob .x",
        "frob @x",
        "frob '*'",
        "frob --width /etc/passwd x",
        "frob --width",
    ] {
        assert!(with(&own, line).is_err(), "{line}");
    }
    let word = judged(&plain(&["frob", "*x"]), &own, Terminal::Absent).unwrap_err().word;
    assert_eq!(word, "operand", "a file name from a wildcard");
}

#[test]
fn sp_160_a_configured_profile_only_tightens_a_built_in_one() {
    let loose = CustomProfile {
        max_positional: Some(9),
        allowed_value_flags: Some(vec!["-o".to_owned(), "--output".to_owned(), "-k".to_owned()]),
        ..CustomProfile::default()
    };
    let loose = catalogue("sort", loose);
    for line in ["sort -o x a", "sort --output=x a", "sort --compress-program=sh a"] {
        assert!(with(&loose, line).is_err(), "{line}");
    }
    assert_eq!(with(&loose, "sort -k 2 a"), Ok(()));
    assert!(with(&loose, "sort -t , a").is_err(), "a value that the configuration does not name");
    let tight = CustomProfile {
        min_positional: Some(1),
        max_positional: Some(1),
        denied_flags: vec!["--reverse".to_owned()],
        ..CustomProfile::default()
    };
    let tight = catalogue("sort", tight);
    assert_eq!(with(&tight, "sort -n a"), Ok(()));
    for line in ["sort", "sort a b", "sort -r a", "sort -nr a", "sort --rev a", "sort --reverse a"] {
        assert!(with(&tight, line).is_err(), "{line}");
    }
}
