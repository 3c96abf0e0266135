use super::*;

fn entry(host: &str) -> Entry {
    Entry { host: Some(host.to_owned()), mode: Some("test".to_owned()), ..Entry::default() }
}

fn hosts(p: &mut Presence, now: u64) -> Vec<String> {
    p.list(&entry("self"), now).into_iter().filter_map(|e| e.host).collect()
}

#[test]
fn the_newest_comes_after_the_gateway_and_old_ones_go() {
    let mut p = Presence::default();
    p.put("a", entry("a"), 0);
    p.put("b", entry("b"), 10);
    assert_eq!(hosts(&mut p, 20), ["self", "b", "a"]);
    p.note("A", "disconnect", 30);
    assert_eq!(hosts(&mut p, 40), ["self", "a", "b"]);
    assert_eq!(hosts(&mut p, 10 + TTL_MS), ["self", "a"]);
    assert_eq!(p.version(), 3);
}

#[test]
fn a_device_that_is_operator_and_node_is_one_entry() {
    let mut p = Presence::default();
    let with = |role: &str| Entry { roles: vec![role.to_owned()], ..entry("phone") };
    p.put("d", with("operator"), 0);
    p.put("d", with("node"), 1);
    let all = p.list(&entry("self"), 2);
    assert_eq!(all.len(), 2);
    assert_eq!(all[1].roles, ["node", "operator"]);
}

#[test]
fn the_list_is_bounded() {
    let mut p = Presence::default();
    for n in 0..500 {
        p.put(&format!("k{n}"), entry("x"), n);
    }
    assert_eq!(p.list(&entry("self"), 500).len(), MAX + 1);
}
