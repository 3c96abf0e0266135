use super::*;

fn event(name: &str, session: Option<&str>, params: Value) -> Event {
    Event { name: name.to_owned(), session: session.map(str::to_owned), params }
}

fn attach(world: &mut World, n: usize) -> Vec<Order> {
    let info = json!({"targetId": format!("T{n}"), "type": "page", "url": "about:blank", "title": ""});
    world.take(&event(
        "Target.attachedToTarget",
        None,
        json!({"sessionId": format!("S{n}"), "targetInfo": info}),
    ))
}

#[test]
fn a_page_that_opens_tabs_without_end_finds_them_closed() {
    let mut world = World::default();
    for n in 0..TABS {
        assert_eq!(attach(&mut world, n)[0].method, "Page.enable");
    }
    let orders = attach(&mut world, TABS);
    assert_eq!((orders[0].method, &orders[0].params["targetId"]), ("Target.closeTarget", &json!("T20")));
    assert_eq!(world.tabs.len(), TABS);
    // The driven tab stays the first one whatever a page opens, until it goes.
    assert_eq!(world.active.as_deref(), Some("T0"));
    world.take(&event("Target.detachedFromTarget", None, json!({"sessionId": "S0"})));
    assert_eq!(world.active.as_deref(), Some("T19"));
}

#[test]
fn what_is_no_page_is_not_driven() {
    let mut world = World::default();
    for kind in ["browser_ui", "service_worker", "other", "webview"] {
        let info = json!({"targetId": "X", "type": kind, "url": "chrome://x"});
        world.take(&event("Target.attachedToTarget", None, json!({"sessionId": "S", "targetInfo": info})));
    }
    assert_eq!(world.tabs, []);
}

#[test]
fn references_end_with_their_document() {
    let mut world = World::default();
    attach(&mut world, 0);
    world.tab_mut("T0").unwrap().refs.insert("e1".to_owned(), 7);
    // Another frame of the page is not the page.
    world.take(&event("Page.frameNavigated", Some("S0"), json!({"frame": {"id": "F", "url": "http://x/"}})));
    assert_eq!(world.tab(None).unwrap().refs.len(), 1);
    world.take(&event("Page.frameNavigated", Some("S0"), json!({"frame": {"id": "T0", "url": "http://y/"}})));
    assert_eq!((world.tab(None).unwrap().refs.len(), &*world.tab(None).unwrap().url), (0, "http://y/"));
}

#[test]
fn the_secret_is_given_to_a_proxy_before_the_first_page_and_never_to_a_site() {
    let mut world = World::default();
    let asked = |source: &str| {
        event(
            "Fetch.authRequired",
            Some("S0"),
            json!({"requestId": "r", "authChallenge": {"source": source}}),
        )
    };
    let answer = |orders: Vec<Order>| orders[0].params["authChallengeResponse"]["response"].clone();
    assert_eq!(answer(world.take(&asked("Proxy"))), "CancelAuth");
    world.pass = Some(Pass { secret: oc_types::Secret::new("s".to_owned()) });
    assert_eq!(answer(world.take(&asked("Server"))), "CancelAuth");
    assert_eq!(answer(world.take(&asked("Proxy"))), "ProvideCredentials");
}

#[test]
fn sp_422_a_download_that_grows_too_large_is_given_up_while_it_comes() {
    let mut world = World::default();
    world.take(&event(
        "Browser.downloadWillBegin",
        None,
        json!({"guid": "g", "suggestedFilename": "a\n\u{202e}b"}),
    ));
    assert_eq!(world.downloads[0].name, "a\\n\\u{202e}b");
    let progress = |received: f64, total: f64| {
        let p = json!({"guid": "g", "receivedBytes": received, "totalBytes": total, "state": "inProgress"});
        event("Browser.downloadProgress", None, p)
    };
    assert_eq!(world.take(&progress(1.0, DOWNLOAD)), []);
    for (received, total) in [(DOWNLOAD + 1.0, 0.0), (1.0, DOWNLOAD + 1.0)] {
        assert_eq!(world.take(&progress(received, total))[0].method, "Browser.cancelDownload");
    }
}

#[test]
fn sp_422_downloads_of_one_launch_are_bounded_in_number_and_in_total() {
    let begins = |id: &str| event("Browser.downloadWillBegin", None, json!({"guid": id}));
    let comes = |id: &str, bytes: f64| {
        let p = json!({"guid": id, "receivedBytes": bytes, "totalBytes": 0, "state": "inProgress"});
        event("Browser.downloadProgress", None, p)
    };
    let given_up = |orders: Vec<Order>| {
        orders.iter().map(|o| format!("{} {}", o.method, o.params["guid"])).collect::<Vec<_>>()
    };
    let mut world = World::default();
    for n in 0..DOWNLOADS {
        assert_eq!(world.take(&begins(&format!("g{n}"))), []);
    }
    for order in [world.take(&begins("beyond")), world.take(&comes("beyond", 1.0))] {
        assert_eq!(given_up(order), ["Browser.cancelDownload \"beyond\""]);
    }
    assert_eq!((world.downloads.len(), &*world.downloads[0].id), (DOWNLOADS, "g0"));
    // Together they may have so much; what is over counts on.
    for n in 0..5 {
        assert_eq!(world.take(&comes(&format!("g{n}"), DOWNLOAD)), []);
        let over = json!({"guid": format!("g{n}"), "receivedBytes": DOWNLOAD, "state": "completed"});
        assert_eq!(world.take(&event("Browser.downloadProgress", None, over)), []);
    }
    assert_eq!(given_up(world.take(&comes("g5", 1.0))), ["Browser.cancelDownload \"g5\""]);
}

#[test]
fn a_console_keeps_its_last_lines_and_no_control_characters() {
    let mut world = World::default();
    attach(&mut world, 0);
    for n in 0..500 {
        let args = json!([{"type": "string", "value": format!("{n}\u{1b}[2J")}, {"type": "object", "description": "Object"}]);
        world.take(&event("Runtime.consoleAPICalled", Some("S0"), json!({"type": "log", "args": args})));
    }
    assert_eq!(world.console.len(), LINES);
    assert_eq!(world.console.back().unwrap().text, "499\\u{1b}[2J Object");
    let dialog =
        event("Page.javascriptDialogOpening", Some("S0"), json!({"type": "confirm", "message": "?"}));
    assert_eq!(world.take(&dialog)[0].params, json!({"accept": false}));
}
