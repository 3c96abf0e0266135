use super::*;

fn bound(users: &[&str]) -> Bound {
    Bound {
        channel: ChannelId::parse("telegram").unwrap(),
        account: "default".to_owned(),
        conversation: ConversationId::new("42"),
        users: users.iter().filter_map(|u| SenderId::new(u)).collect(),
    }
}

#[test]
fn sp_424_payloads_are_random_bounded_in_number_and_bound() {
    let mut mint = Mint::default();
    let mut n = 0u128;
    let mut random = || {
        n += 1;
        Some(n.to_be_bytes())
    };
    let purposes = [Purpose::Approval { id: "a".to_owned(), decision: ApproveWord::Deny }];
    let first = mint.issue(&bound(&["1"]), &purposes, 100, &mut random).unwrap();
    assert!(
        mint.issue(&bound(&["1"]), &purposes, 100, &mut || None).is_none(),
        "without randomness there is no button"
    );
    for _ in 0..MOST {
        mint.issue(&bound(&["1"]), &purposes, 100, &mut random).unwrap();
    }
    assert_eq!(mint.len(), MOST);
    let b = bound(&["1"]);
    let place = (&b.channel, b.account.as_str(), &b.conversation);
    let user = SenderId::new("1");
    assert_eq!(mint.redeem(&first[0], place, user.as_ref(), 1), Err(NotRedeemed::Unknown), "the oldest went");
    let last = mint.issue(&bound(&["1"]), &purposes, 100, &mut random).unwrap();
    for (account, conversation, who, now, want) in [
        ("work", "42", Some("1"), 1, NotRedeemed::Foreign),
        ("default", "43", Some("1"), 1, NotRedeemed::Foreign),
        ("default", "42", Some("2"), 1, NotRedeemed::Foreign),
        ("default", "42", None, 1, NotRedeemed::Foreign),
        ("default", "42", Some("1"), 100, NotRedeemed::Expired),
    ] {
        let conversation = ConversationId::new(conversation);
        let place = (&b.channel, account, &conversation);
        let who = who.and_then(SenderId::new);
        assert_eq!(mint.redeem(&last[0], place, who.as_ref(), now), Err(want));
    }
    assert!(mint.knows(&last[0], place, user.as_ref()));
    assert_eq!(mint.redeem(&last[0], place, user.as_ref(), 99), Ok(purposes[0].clone()));
    assert_eq!(mint.redeem(&last[0], place, user.as_ref(), 99), Err(NotRedeemed::Unknown));
}
