#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use oc_config::document::{self, Format, Frame};
use oc_config::location::Overrides;
use oc_config::source::{ReadFailure, Role, Source, SourceFile};
use oc_config::{LoadRequest, Reading, dotenv, load};

use super::*;

/// Configuration and `.env` of the state directory.
struct State<'a>(&'a str, &'a str);

impl Source for State<'_> {
    fn read(&self, path: &Path, _: Role<'_>) -> Result<SourceFile, ReadFailure> {
        let text = match path.to_str() {
            Some("/state/openclaw.json") => self.0,
            Some("/state/.env") => self.1,
            _ => return Err(ReadFailure::Missing(path.to_owned())),
        };
        Ok(SourceFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() })
    }

    fn exists(&self, path: &Path) -> bool {
        path.starts_with("/state")
    }
}

/// The seats of a configuration with a state `.env`, and process variables.
fn seats(text: &str, env_file: &str, process: &[(&str, &str)], secrets: Secrets) -> Vec<(String, Seat)> {
    let own = process.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let request = LoadRequest {
        environment: Environment::from_process(own),
        overrides: Overrides {
            state_dir: Some("/state".into()),
            config: Some("/state/openclaw.json".into()),
        },
        cwd: "/elsewhere".into(),
        os_home: None,
        reading: Reading::Product,
    };
    let loaded = load(&request, &State(text, env_file));
    let written =
        Written { tree: &loaded.tree, references: &loaded.references, environment: &loaded.environment };
    spots(written, secrets).into_iter().map(|s| (s.key.to_string(), s.seat)).collect()
}

fn dot_env(name: &str) -> Seat {
    Seat::DotEnv { file: "/state/.env".into(), name: name.into() }
}

#[test]
fn a_secret_is_changed_where_its_text_stands() {
    let gateway = |text: &str, file: &str, process: &[(&str, &str)]| -> Vec<(String, Seat)> {
        seats(text, file, process, Secrets::Gateway)
    };
    let token = "gateway.auth.token".to_owned();
    let key = |k: &str| Seat::Key(KeyPath::dotted(k));
    assert_eq!(
        gateway("{gateway:{auth:{token:'t'}}}", "", &[]),
        [(token.clone(), key("gateway.auth.token"))]
    );
    let by_variable = "{gateway:{auth:{token:'${T}'}}}";
    assert_eq!(gateway(by_variable, "T=t", &[]), [(token.clone(), dot_env("T"))]);
    assert!(matches!(gateway(by_variable, "T=t", &[("T", "p")])[0].1, Seat::ByHand(_)), "the process wins");
    assert_eq!(
        gateway("{env:{T:'t'},gateway:{auth:{token:'${T}'}}}", "", &[]),
        [(token.clone(), key("env.T"))]
    );
    let twice = "{env:{T:'${U}'},gateway:{auth:{token:'${T}'}}}";
    assert_eq!(gateway(twice, "U=u", &[]), [(token.clone(), dot_env("U"))]);
    assert!(matches!(gateway("{gateway:{auth:{token:'x${T}'}}}", "T=t", &[])[0].1, Seat::ByHand(_)));
    let file = gateway("{gateway:{auth:{token:{file:'/s/token'}}}}", "", &[]);
    assert_eq!(file, [(token.clone(), Seat::File("/s/token".into()))]);
    let chain = gateway("{gateway:{auth:{token:{keychain:{service:'s',account:'a'}}}}}", "", &[]);
    assert!(matches!(&chain[0].1, Seat::ByHand(what) if what.contains("s/a")));
}

#[test]
fn both_secrets_of_the_gateway_are_listed_and_what_is_not_set_is_not() {
    let both = seats("{gateway:{auth:{token:'t'}}}", "OPENCLAW_GATEWAY_PASSWORD=p", &[], Secrets::Gateway);
    assert_eq!(both[1], ("gateway.auth.password".into(), dot_env("OPENCLAW_GATEWAY_PASSWORD")));
    assert_eq!(both.len(), 2);
    assert_eq!(seats("{gateway:{auth:{token:''}}}", "", &[], Secrets::Gateway), []);
    assert_eq!(seats("{}", "", &[], Secrets::Hooks), []);
    assert_eq!(seats("{hooks:{token:'h'}}", "", &[], Secrets::Hooks).len(), 1);
}

#[test]
fn sp_280_the_rest_is_named_and_never_shown() {
    let text = "{gateway:{auth:{token:'canary-1'},remote:{token:'canary-2'}},hooks:{token:'canary-3'},
        channels:{telegram:{botToken:'canary-4'}},models:{providers:{x:{apiKey:'canary-5'}}}}";
    let tree = document::parse(&Frame::root("c.json"), text.as_bytes(), Format::Json5).unwrap().node;
    let mut environment = Environment::from_process([("SOME_TOKEN".into(), "canary-6".into())]);
    environment
        .add_dotenv("/state/.env", &dotenv::parse("X_API_KEY=canary-7\nHARMLESS=1\nDONE_TOKEN=canary-8"));
    let rest = remaining(&tree, &environment, &[], &["DONE_TOKEN".into()]);
    let places: Vec<&str> = rest.iter().map(|r| r.place.as_str()).collect();
    assert_eq!(
        places,
        ["gateway.remote.token", "channels.telegram.botToken", "models.providers.x.apiKey", "X_API_KEY"]
    );
    assert!(!format!("{rest:?}").contains("canary"));
    assert_eq!(rest[3].at.as_deref(), Some("/state/.env:1"));
}
