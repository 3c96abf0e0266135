use super::*;

fn decide(variables: &[(&str, &str)], files: &[&str], reading: Reading) -> (Locations, Option<Ambiguous>) {
    let environment =
        Environment::from_process(variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    let overrides = Overrides::default();
    let base = Base {
        environment: &environment,
        overrides: &overrides,
        cwd: Path::new("/there/dir"),
        os_home: Some(Path::new("/os")),
        reading,
    };
    let exists = |p: &Path| files.iter().any(|f| Path::new(f).starts_with(p));
    Locations::decide(base, &exists)
}

/// Variables, files that exist, then the expected state directory and configuration file.
type Row = (&'static [(&'static str, &'static str)], &'static [&'static str], &'static str, &'static str);

const H: (&str, &str) = ("HOME", "/h");

#[test]
fn places_follow_the_table_of_the_specification() {
    let rows: &[Row] = &[
        (&[H], &[], "/h/.openclaw", "/h/.openclaw/openclaw.json"),
        (&[], &[], "/os/.openclaw", "/os/.openclaw/openclaw.json"),
        (&[("USERPROFILE", "/u")], &[], "/u/.openclaw", "/u/.openclaw/openclaw.json"),
        (&[H, ("OPENCLAW_HOME", "/p")], &[], "/p/.openclaw", "/p/.openclaw/openclaw.json"),
        (&[H, ("OPENCLAW_HOME", "~/p")], &[], "/h/p/.openclaw", "/h/p/.openclaw/openclaw.json"),
        (&[H], &["/h/.moltbot/x"], "/h/.moltbot", "/h/.moltbot/openclaw.json"),
        (&[H], &["/h/.clawdbot/x", "/h/.moltbot/x"], "/h/.clawdbot", "/h/.clawdbot/openclaw.json"),
        (
            &[H],
            &["/h/.openclaw/x", "/h/.clawdbot/clawdbot.json"],
            "/h/.openclaw",
            "/h/.clawdbot/clawdbot.json",
        ),
        (&[H], &["/h/.openclaw/clawdbot.json"], "/h/.openclaw", "/h/.openclaw/clawdbot.json"),
        (
            &[H],
            &["/h/.openclaw/moldbot.json", "/h/.openclaw/moltbot.json"],
            "/h/.openclaw",
            "/h/.openclaw/moltbot.json",
        ),
        (&[H, ("OPENCLAW_STATE_DIR", " /s ")], &["/h/.openclaw/openclaw.json"], "/s", "/s/openclaw.json"),
        (&[H, ("OPENCLAW_STATE_DIR", " ")], &[], "/h/.openclaw", "/h/.openclaw/openclaw.json"),
        (&[H, ("OPENCLAW_STATE_DIR", "~/s")], &[], "/h/s", "/h/s/openclaw.json"),
        (&[H, ("OPENCLAW_STATE_DIR", "../s")], &[], "/there/s", "/there/s/openclaw.json"),
        (&[H, ("CLAWDBOT_STATE_DIR", "/c"), ("OPENCLAW_STATE_DIR", "/s")], &[], "/s", "/s/openclaw.json"),
        (&[H, ("CLAWDBOT_STATE_DIR", "/c")], &["/c/moltbot.json"], "/c", "/c/moltbot.json"),
        (&[H, ("OPENCLAW_CONFIG_PATH", "~/x.json5")], &[], "/h/.openclaw", "/h/x.json5"),
        (&[H, ("CLAWDBOT_CONFIG_PATH", "x.json5")], &[], "/h/.openclaw", "/there/dir/x.json5"),
    ];
    for (variables, files, state, config) in rows {
        for reading in [Reading::Product, Reading::Era] {
            let (found, ambiguous) = decide(variables, files, reading);
            assert_eq!(found.state_dir, Path::new(state), "{variables:?} {files:?}");
            assert_eq!(found.config, Path::new(config), "{variables:?} {files:?}");
            assert_eq!(ambiguous, None);
        }
    }
}

#[test]
fn credentials_lie_in_the_state_directory_unless_named() {
    assert_eq!(decide(&[H], &[], Reading::Product).0.credentials, Path::new("/h/.openclaw/credentials"));
    let named = decide(&[H, ("OPENCLAW_OAUTH_DIR", "~/o")], &[], Reading::Product).0;
    assert_eq!(named.credentials, Path::new("/h/o"));
}

#[test]
fn toml_stands_in_for_json5_but_not_beside_it() {
    let json = "/h/.openclaw/openclaw.json";
    let toml = "/h/.openclaw/openclaw.toml";
    assert_eq!(decide(&[H], &[toml], Reading::Product).0.config, Path::new(toml));
    let (_, ambiguous) = decide(&[H], &[json, toml], Reading::Product);
    let text = ambiguous.unwrap().to_string();
    assert!(text.contains(json) && text.contains(toml), "{text}");
    let (found, ambiguous) = decide(&[H], &[json, toml], Reading::Era);
    assert_eq!((found.config.as_path(), ambiguous), (Path::new(json), None));
    assert_eq!(decide(&[H], &[toml], Reading::Era).0.config, Path::new(json));
}

#[test]
fn yaml_is_found_to_be_refused() {
    let yaml = "/h/.openclaw/openclaw.yml";
    assert_eq!(decide(&[H], &[yaml], Reading::Product).0.config, Path::new(yaml));
}

#[test]
fn the_command_line_wins_over_variables() {
    let environment = Environment::from_process([("OPENCLAW_STATE_DIR".to_owned(), "/s".to_owned())]);
    let overrides = Overrides { state_dir: Some("state".into()), config: Some("~/c.toml".into()) };
    let base = Base {
        environment: &environment,
        overrides: &overrides,
        cwd: Path::new("/w"),
        os_home: Some(Path::new("/os")),
        reading: Reading::Product,
    };
    let (found, _) = Locations::decide(base, &|_| true);
    assert_eq!(found.state_dir, Path::new("/w/state"));
    assert_eq!(found.config, Path::new("/os/c.toml"));
}

#[test]
fn sp_069_only_a_leading_tilde_means_home() {
    let home = Path::new("/h");
    for (text, expected) in [
        ("~", Some("/h")),
        ("~/", Some("/h/")),
        ("~/a/~b", Some("/h/a/~b")),
        ("~//etc", Some("/h/etc")),
        ("~user/a", None),
        ("a/~", None),
        (" ~/a", None),
        ("$HOME/a", None),
        ("", None),
    ] {
        assert_eq!(expand_home(text, home).as_deref(), expected, "{text}");
    }
}
