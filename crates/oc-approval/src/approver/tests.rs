use super::*;

fn sender<'a>(
    right: CommandRight,
    list: ChannelList,
    ownership: Ownership,
    approvers: &'a Approvers,
) -> ChatSender<'a> {
    ChatSender { channel: "telegram", id: "7", right, list, ownership, approvers }
}

fn listed(ids: &[&str]) -> Option<Vec<String>> {
    Some(ids.iter().map(|i| (*i).to_owned()).collect())
}

#[test]
fn sp_200_surface_by_identity() {
    use ChannelList::{Listed, Open};
    use CommandRight::{Authorised, Unauthorised};
    use NoPermit::{NotListed, OpenChannel};
    use Ownership::{Other, Owner};
    let none = Approvers::default();
    let me = Approvers { exec: listed(&["7"]), plugin: None };
    let another = Approvers { exec: listed(&["8"]), plugin: None };
    for (right, list, owner, approvers, want) in [
        (Authorised, Listed, Other, &none, None),
        (Authorised, Listed, Owner, &none, None),
        (Authorised, Open, Owner, &none, None),
        (Authorised, Open, Other, &none, Some(OpenChannel)),
        (Authorised, Open, Other, &me, None),
        (Authorised, Listed, Other, &another, Some(NotListed)),
        (Authorised, Listed, Owner, &another, Some(NotListed)),
        (Unauthorised, Listed, Owner, &me, Some(NoPermit::Unauthorised)),
        (Unauthorised, Open, Other, &none, Some(NoPermit::Unauthorised)),
    ] {
        let got = Permit::chat(&sender(right, list, owner, approvers), Kind::Exec).err();
        assert_eq!(got, want, "{right:?} {list:?} {owner:?} {approvers:?}");
    }
    for (scopes, want) in [
        (&["operator.approvals"][..], None),
        (&["operator.read", "operator.admin"], None),
        (&["operator.write", "operator.read"], Some(NoPermit::Scope)),
        (&["operator.approvals.x", "OPERATOR.APPROVALS"], Some(NoPermit::Scope)),
        (&[], Some(NoPermit::Scope)),
    ] {
        assert_eq!(Permit::client("c", scopes).err(), want, "{scopes:?}");
    }
}

#[test]
fn sp_200_lists_of_one_kind_never_stand_in_for_another() {
    let plugin_only = Approvers { exec: listed(&[]), plugin: listed(&["7"]) };
    let who = sender(CommandRight::Authorised, ChannelList::Open, Ownership::Other, &plugin_only);
    assert_eq!(Permit::chat(&who, Kind::Exec).err(), Some(NoPermit::NotListed));
    assert!(Permit::chat(&who, Kind::Plugin).is_ok());
    assert!(Permit::button("discord", "7", &plugin_only, Kind::Exec, "x").is_err());
    let only = Approvers { exec: None, plugin: listed(&["7"]) };
    let who = sender(CommandRight::Authorised, ChannelList::Open, Ownership::Other, &only);
    assert_eq!(Permit::chat(&who, Kind::Exec).err(), Some(NoPermit::OpenChannel));
}

#[test]
fn sp_201_an_empty_list_is_nobody() {
    let empty = Approvers { exec: listed(&[]), plugin: None };
    let blank = Approvers { exec: listed(&["", "  "]), plugin: None };
    for approvers in [&empty, &blank] {
        let owner = sender(CommandRight::Authorised, ChannelList::Listed, Ownership::Owner, approvers);
        assert_eq!(Permit::chat(&owner, Kind::Exec).err(), Some(NoPermit::NotListed));
        for clicker in ["7", "", "  "] {
            assert!(Permit::button("discord", clicker, approvers, Kind::Exec, "x").is_err());
        }
    }
    assert!(
        Permit::button("discord", "7", &Approvers::default(), Kind::Exec, "x").is_err(),
        "no list at all"
    );
    let wild = Approvers { exec: listed(&["*"]), plugin: None };
    assert!(Permit::button("discord", "7", &wild, Kind::Exec, "x").is_err(), "`*` is no id");
}

#[test]
fn sp_202_there_is_no_permit_for_who_asks() {
    // Every way to a permit: the terminal's user, a client's scopes, a chat's sender, a listed clicker. A node or agent connection has
    // none of the scopes, whatever it calls itself.
    for scopes in [&["node.invoke"][..], &["operator.write"], &["operator.read", "operator.pairing"]] {
        assert!(Permit::client("operator.approvals", scopes).is_err(), "{scopes:?}");
    }
    let none = Approvers::default();
    let mut bot = sender(CommandRight::Unauthorised, ChannelList::Open, Ownership::Other, &none);
    bot.id = "";
    assert!(Permit::chat(&bot, Kind::Exec).is_err());
    bot.right = CommandRight::Authorised;
    bot.list = ChannelList::Listed;
    assert!(Permit::chat(&bot, Kind::Exec).is_err(), "without a stable id nobody is anybody");
}
