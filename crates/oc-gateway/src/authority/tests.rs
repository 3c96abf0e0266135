#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn scopes(words: &[&str]) -> Scopes {
    Scopes::read(words.iter().copied())
}

fn answer(role: Role, words: &[&str], method: &str) -> String {
    authorize(role, &scopes(words), method).map_or_else(|f| f.message, |()| "ok".to_owned())
}

#[test]
fn sp_339_every_method_stands_once_in_the_table() {
    let names: BTreeSet<&str> = METHODS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), METHODS.len());
}

#[test]
fn sp_339_each_method_needs_its_scope_and_nothing_else_opens_it() {
    for (method, need) in METHODS {
        for scope in Scope::ALL {
            let got = authorize(Role::Operator, &Scopes::from_iter([scope]), method);
            let opens = match need {
                Need::Node => false,
                Need::Operator(wanted) => {
                    scope == wanted
                        || scope == Scope::Admin
                        || (wanted == Scope::Read && scope == Scope::Write)
                }
            };
            assert_eq!(got.is_ok(), opens, "{method} with {}", scope.word());
        }
        assert!(authorize(Role::Operator, &Scopes::default(), method).is_err(), "{method} without a scope");
    }
}

#[test]
fn sp_339_wording_that_older_clients_read() {
    assert_eq!(answer(Role::Operator, &["operator.read"], "config.get"), "missing scope: operator.admin");
    assert_eq!(answer(Role::Operator, &["operator.read"], "no.such"), "missing scope: operator.admin");
    assert_eq!(answer(Role::Operator, &["operator.admin"], "no.such"), "unknown method: no.such");
    assert_eq!(answer(Role::Operator, &["operator.admin"], "node.event"), "unauthorized role: operator");
    assert_eq!(answer(Role::Node, &[], "health"), "unauthorized role: node");
}

#[test]
fn sp_347_the_roles_share_no_method() {
    for (method, need) in METHODS {
        let node = authorize(Role::Node, &scopes(&["operator.admin"]), method).is_ok();
        let operator = authorize(Role::Operator, &scopes(&["operator.admin"]), method).is_ok();
        assert_eq!((node, operator), (need == Need::Node, need != Need::Node), "{method}");
    }
    assert!(authorize(Role::Node, &scopes(&["operator.admin"]), "no.such").is_err());
}

#[test]
fn sp_323_a_wish_is_cut_down_to_what_was_granted() {
    let wish = scopes(&["operator.admin", "operator.read", "operator.root", ""]);
    assert_eq!(wish.words(), ["operator.admin", "operator.read"]);
    assert_eq!(wish.within(&scopes(&["operator.write"])).words(), ["operator.read"]);
    assert_eq!(wish.within(&Scopes::default()).words(), Vec::<&str>::new());
    assert_eq!(wish.within(&scopes(&["operator.admin"])), wish);
    assert!(scopes(&["operator.write"]).covers(&scopes(&["operator.read"])));
    assert!(!scopes(&["operator.read"]).covers(&scopes(&["operator.write"])));
    assert!(!scopes(&["operator.approvals", "operator.pairing"]).covers(&scopes(&["operator.read"])));
}
