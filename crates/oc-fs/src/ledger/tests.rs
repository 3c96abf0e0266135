use std::os::unix::fs::PermissionsExt;

use super::*;

fn entry(n: u32) -> Entry {
    let mut inputs = Map::new();
    inputs.insert("tool".to_owned(), json!("exec"));
    inputs.insert("turn".to_owned(), json!(n));
    Entry {
        kind: Kind::Decision,
        actor: "telegram:12345".to_owned(),
        agent: "main".to_owned(),
        session: "agent:main:main".to_owned(),
        subject: "tool:exec".to_owned(),
        verdict: "denied".to_owned(),
        rule: "global: deny \"hash\":\"x\",".to_owned(),
        key_path: Some("tools.deny[0]".to_owned()),
        source: Some("/home/me/.openclaw/openclaw.json:3:5".to_owned()),
        config_gen: chain::ORIGIN.to_owned(),
        approval_id: n.is_multiple_of(2).then(|| format!("approval-{n}")),
        call: format!("call-{n}"),
        inputs,
    }
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00.123Z".parse().unwrap()
}

/// A ledger of `n` records in files of about three lines each.
fn ledger(n: u32) -> (tempfile::TempDir, Ledger) {
    let tmp = tempfile::tempdir().unwrap();
    let ledger = Ledger::of(tmp.path()).rotating_at(1500);
    for i in 1..=n {
        assert_eq!(ledger.append(&entry(i), now()).unwrap().seq, u64::from(i));
    }
    (tmp, ledger)
}

#[test]
fn records_come_back_as_they_were_written_and_the_chain_crosses_files() {
    let (_tmp, ledger) = ledger(12);
    let lines = read(ledger.directory()).unwrap();
    assert_eq!(lines.len(), 12);
    for (line, n) in lines.iter().zip(1..) {
        let record = line.record.as_ref().unwrap();
        assert_eq!((record.seq, &record.entry), (u64::from(n), &entry(n)));
    }
    let v = verify(ledger.directory(), None).unwrap();
    assert!(v.is_whole() && v.files > 2, "{v:?}");
    assert_eq!((v.records, v.head.seq), (12, 12));
    assert!(verify(ledger.directory(), Some(&lines[3].record.as_ref().unwrap().hash)).unwrap().is_whole());
    assert!(!verify(ledger.directory(), Some(chain::ORIGIN)).unwrap().is_whole());
}

#[test]
fn sp_005_the_ledger_is_owner_only() {
    let (_tmp, ledger) = ledger(5);
    let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(ledger.directory()), 0o700);
    for file in std::fs::read_dir(ledger.directory()).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[test]
fn every_flipped_byte_is_found_and_located() {
    let (_tmp, ledger) = ledger(4);
    let mut files: Vec<PathBuf> =
        files::parts(ledger.directory()).unwrap().into_iter().map(|(_, p)| p).collect();
    files.push(files::note_path(ledger.directory()));
    for file in &files {
        let good = std::fs::read(file).unwrap();
        for at in 0..good.len() {
            for mask in [0x01, 0x20, 0x80] {
                let mut bad = good.clone();
                bad[at] ^= mask;
                std::fs::write(file, &bad).unwrap();
                let v = verify(ledger.directory(), None).unwrap();
                let first = v
                    .breaks
                    .first()
                    .unwrap_or_else(|| panic!("{}: byte {at} flipped unseen", file.display()));
                assert_eq!(&first.file, file, "byte {at}: {first:?}");
                if first.line > 0 {
                    let line = good[..at].iter().filter(|b| **b == b'\n').count() + 1;
                    assert_eq!(first.line, line, "byte {at}: {first:?}");
                }
            }
        }
        std::fs::write(file, &good).unwrap();
    }
    assert!(verify(ledger.directory(), None).unwrap().is_whole());
}

#[test]
fn a_line_taken_out_moved_or_cut_off_is_found() {
    let (_tmp, ledger) = ledger(9);
    let parts = files::parts(ledger.directory()).unwrap();
    let (_, middle) = &parts[1];
    let good = std::fs::read_to_string(middle).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let check = |text: String, want: &str| {
        std::fs::write(middle, text).unwrap();
        let v = verify(ledger.directory(), None).unwrap();
        assert!(v.breaks.iter().any(|b| b.what.contains(want)), "{want}: {:?}", v.breaks);
        std::fs::write(middle, &good).unwrap();
    };
    check(format!("{}\n", lines[1..].join("\n")), "missing before this line");
    check(format!("{}\n{}\n", lines[1], lines[0]), "should stand here");
    // Whole files, at the beginning and at the end.
    for (at, want) in [(0, "are missing before this line"), (parts.len() - 1, "is not there")] {
        let kept = std::fs::read(&parts[at].1).unwrap();
        std::fs::remove_file(&parts[at].1).unwrap();
        let v = verify(ledger.directory(), None).unwrap();
        assert!(v.breaks.iter().any(|b| b.what.contains(want)), "{want}: {:?}", v.breaks);
        std::fs::write(&parts[at].1, kept).unwrap();
    }
}

fn flip_near_the_end(last: &Path, _note: &Path) {
    let mut bytes = std::fs::read(last).unwrap();
    let at = bytes.len() - 20;
    bytes[at] ^= 1;
    std::fs::write(last, bytes).unwrap();
}

#[test]
fn sp_008_on_a_damaged_end_nothing_is_appended() {
    let damage: [fn(&Path, &Path); 4] = [
        flip_near_the_end,
        |last, _| std::fs::remove_file(last).unwrap(),
        |_, note| std::fs::write(note, "nonsense").unwrap(),
        |_, note| std::fs::remove_file(note).unwrap(),
    ];
    for damage in damage {
        let (_tmp, ledger) = ledger(7);
        let (_, last) = files::parts(ledger.directory()).unwrap().pop().unwrap();
        damage(&last, &files::note_path(ledger.directory()));
        let before = std::fs::read(&last).ok();
        let refused = ledger.append(&entry(8), now()).unwrap_err();
        assert!(matches!(refused, LedgerFailure::Damaged { .. }), "{refused}");
        assert_eq!(std::fs::read(&last).ok().filter(|b| !b.is_empty()), before);
    }
}

#[test]
fn an_unfinished_line_is_set_aside_and_reported() {
    let (_tmp, ledger) = ledger(2);
    let (_, last) = files::parts(ledger.directory()).unwrap().pop().unwrap();
    let whole = std::fs::read(&last).unwrap();
    let torn = br#"{"seq":3,"ts":"2026-03-01T12:0"#;
    std::fs::write(&last, [&whole[..], torn].concat()).unwrap();
    let v = verify(ledger.directory(), None).unwrap();
    assert!(v.is_whole(), "{v:?}");
    assert_eq!(v.unfinished, torn.len());
    let record = ledger.append(&entry(9), now()).unwrap();
    assert_eq!(record.seq, 4);
    let v = verify(ledger.directory(), None).unwrap();
    assert!(v.is_whole(), "{v:?}");
    assert_eq!((v.unfinished, v.set_aside), (0, vec![3]));
    let told = read(ledger.directory()).unwrap()[2].record.clone().unwrap();
    assert_eq!(told.entry.inputs["kept"], "torn-3.part");
    assert_eq!(std::fs::read(ledger.directory().join("torn-3.part")).unwrap(), torn);
}

#[test]
fn sp_014_a_record_holds_no_secret_and_has_a_bounded_length() {
    let (_tmp, ledger) = ledger(0);
    let mut loose = entry(1);
    loose.actor = "x".repeat(1_000_000);
    loose.rule = "sk-abcdefghijklmnopqrstuvwxyz0123456789".to_owned();
    loose
        .inputs
        .insert("nested".to_owned(), json!({"password": "correct horse battery staple", "n": [1, 2]}));
    for i in 0..1000 {
        loose.inputs.insert(format!("key-{i}"), json!("GATEWAY_TOKEN=0123456789abcdefghijklmnop\u{202e}"));
    }
    let stored = ledger.append(&loose, now()).unwrap();
    let text = serde_json::to_string(&stored).unwrap();
    for secret in ["abcdefghijklmnopqrstuvwxyz", "correct horse", "0123456789abcdef"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.len() < chain::MAX_LINE && !text.contains('\u{202e}'));
    assert!(verify(ledger.directory(), None).unwrap().is_whole());
}

#[test]
fn sp_008_damage_between_two_appends_of_one_writer_is_seen() {
    let damage: [fn(&Path, &Path); 6] = [
        flip_near_the_end,
        |last, _| std::fs::remove_file(last).unwrap(),
        |last, _| {
            let bytes = std::fs::read(last).unwrap();
            std::fs::write(last, &bytes[..bytes.len() / 2]).unwrap();
        },
        |_, note| std::fs::write(note, "nonsense").unwrap(),
        |_, note| std::fs::remove_file(note).unwrap(),
        |last, _| std::fs::write(last.with_file_name("ledger-000099.jsonl"), "{}\n").unwrap(),
    ];
    for (n, damage) in damage.into_iter().enumerate() {
        // One file, its end kept open by the same writer.
        let tmp = tempfile::tempdir().unwrap();
        let ledger = Ledger::of(tmp.path());
        for i in 1..=3 {
            ledger.append(&entry(i), now()).unwrap();
        }
        let last = files::part(ledger.directory(), 1);
        damage(&last, &files::note_path(ledger.directory()));
        let refused = ledger.append(&entry(4), now()).unwrap_err();
        assert!(matches!(refused, LedgerFailure::Damaged { .. }), "{n}: {refused}");
        // It stays so: the next one is refused as well.
        assert!(ledger.append(&entry(5), now()).is_err(), "{n}");
    }
}

#[test]
fn two_writers_in_turn_continue_one_chain() {
    let tmp = tempfile::tempdir().unwrap();
    let (one, other) = (Ledger::of(tmp.path()).rotating_at(4000), Ledger::of(tmp.path()).rotating_at(4000));
    for n in 0..40_u32 {
        let writer = if n % 3 == 0 { &other } else { &one };
        assert_eq!(writer.append(&entry(n), now()).unwrap().seq, u64::from(n) + 1);
    }
    let v = verify(one.directory(), None).unwrap();
    assert!(v.is_whole() && v.files > 2, "{v:?}");
    assert_eq!(v.records, 40);
}

#[test]
fn records_that_come_together_are_all_there_in_their_order() {
    let tmp = tempfile::tempdir().unwrap();
    let ledger = Ledger::of(tmp.path()).rotating_at(20_000);
    let (told, heard) = std::sync::mpsc::channel();
    let mut too_long = entry(0);
    // Each text is cut, and there are many.
    for i in 0..48 {
        too_long.inputs.insert(format!("k{i}"), json!("\u{1F512}".repeat(600)));
    }
    for n in 1..=500_u32 {
        let told = told.clone();
        let one = if n == 77 { too_long.clone() } else { entry(n) };
        ledger.submit(one, Durability::Synced, now(), move |written| told.send((n, written)).unwrap());
    }
    drop(told);
    let all: Vec<_> = heard.iter().collect();
    assert_eq!(all.len(), 500);
    for (n, written) in &all {
        // What cannot be stored is refused by itself.
        assert_eq!(written.is_ok(), *n != 77, "{n}: {written:?}");
    }
    let calls: Vec<String> =
        read(ledger.directory()).unwrap().into_iter().map(|l| l.record.unwrap().entry.call).collect();
    let want: Vec<String> = (1..=500).filter(|n| *n != 77).map(|n| format!("call-{n}")).collect();
    assert_eq!(calls, want);
    let v = verify(ledger.directory(), None).unwrap();
    assert!(v.is_whole() && v.files > 2, "{v:?}");
}

#[test]
fn everybody_who_waits_hears_of_a_failure() {
    let tmp = tempfile::tempdir().unwrap();
    let ledger = Ledger::of(tmp.path());
    ledger.append(&entry(1), now()).unwrap();
    std::fs::write(files::note_path(ledger.directory()), "nonsense").unwrap();
    let (told, heard) = std::sync::mpsc::channel();
    for n in 2..=20_u32 {
        let told = told.clone();
        ledger.submit(entry(n), Durability::Synced, now(), move |written| told.send(written).unwrap());
    }
    drop(told);
    let all: Vec<_> = heard.iter().collect();
    assert_eq!(all.len(), 19);
    assert!(all.iter().all(|w| matches!(w, Err(LedgerFailure::Damaged { .. }))), "{all:?}");
}

fn write_at_once(ledger: &Ledger, n: u32) {
    ledger.write_at_once(&[(&entry(n), now())]).expect("nobody else is at it").unwrap();
}

fn noted(ledger: &Ledger) -> u64 {
    match files::note(ledger.directory()) {
        files::Note::Head(head) => head.seq,
        other => panic!("{other:?}"),
    }
}

/// A ledger with one synced record and `n - 1` that are written and not yet synced, as a machine that stops would find it, in a copy.
fn written(n: u32) -> (tempfile::TempDir, Ledger) {
    let tmp = tempfile::tempdir().unwrap();
    let ledger = Ledger::of(tmp.path());
    ledger.append(&entry(1), now()).unwrap();
    for i in 2..=n {
        write_at_once(&ledger, i);
    }
    let copy = tempfile::tempdir().unwrap();
    let to = copy.path().join("ledger");
    std::fs::create_dir(&to).unwrap();
    for file in std::fs::read_dir(ledger.directory()).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    // The note of then: it is written after the synchronisation only.
    let first = read(&to).unwrap()[0].record.clone().unwrap();
    std::fs::write(files::note_path(&to), files::note_text(&chain::head_after(&first))).unwrap();
    let copied = Ledger::of(copy.path());
    (copy, copied)
}

#[test]
fn what_is_written_at_once_is_readable_at_once_and_noted_soon() {
    let tmp = tempfile::tempdir().unwrap();
    let ledger = Ledger::of(tmp.path());
    assert!(ledger.write_at_once(&[(&entry(1), now())]).is_none(), "the first one has no end at hand");
    ledger.append(&entry(1), now()).unwrap();
    assert_eq!(noted(&ledger), 1);
    for n in 2..=50 {
        write_at_once(&ledger, n);
        let v = verify(ledger.directory(), None).unwrap();
        assert!(v.is_whole() && v.head.seq == u64::from(n), "{v:?}");
    }
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while noted(&ledger) < 50 {
        assert!(std::time::Instant::now() < deadline, "noted: {}", noted(&ledger));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(verify(ledger.directory(), None).unwrap().is_whole());
}

#[test]
fn a_machine_that_stops_costs_at_most_what_was_not_synced_from_the_end() {
    let (_tmp, ledger) = written(6);
    let part = files::part(ledger.directory(), 1);
    let whole = std::fs::read(&part).unwrap();
    let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
    for keep in first..=whole.len() {
        std::fs::write(&part, &whole[..keep]).unwrap();
        let v = verify(ledger.directory(), None).unwrap();
        assert!(v.is_whole(), "{keep}: {v:?}");
        let before = v.head.seq;
        // A process that starts then goes on, and says what it set aside.
        let again = Ledger::of(ledger.directory().parent().unwrap());
        let aside = u64::from(v.unfinished > 0);
        assert_eq!(again.append(&entry(9), now()).unwrap().seq, before + aside + 1, "{keep}");
        assert!(verify(ledger.directory(), None).unwrap().is_whole(), "{keep}");
        let note = files::note_text(&chain::head_after(
            &read(ledger.directory()).unwrap()[0].record.clone().unwrap(),
        ));
        std::fs::write(files::note_path(ledger.directory()), note).unwrap();
    }
    // What was synced is not lost unseen.
    std::fs::write(&part, &whole[..first - 1]).unwrap();
    assert!(!verify(ledger.directory(), None).unwrap().is_whole());
}

#[test]
fn written_and_synced_records_of_two_writers_make_one_chain() {
    let tmp = tempfile::tempdir().unwrap();
    let (one, other) = (Ledger::of(tmp.path()).rotating_at(4000), Ledger::of(tmp.path()).rotating_at(4000));
    let (told, heard) = std::sync::mpsc::channel();
    for n in 0..200_u32 {
        let writer = if n % 5 == 0 { &other } else { &one };
        match n % 3 {
            0 => drop(writer.append(&entry(n), now()).unwrap()),
            1 => {
                if let Some(written) = writer.write_at_once(&[(&entry(n), now())]) {
                    written.unwrap();
                } else {
                    writer.append(&entry(n), now()).unwrap();
                }
            }
            _ => {
                let told = told.clone();
                writer.submit(entry(n), Durability::Written, now(), move |w| told.send(w).unwrap());
            }
        }
    }
    drop(told);
    assert!(heard.iter().all(|w| w.is_ok()));
    let v = verify(one.directory(), None).unwrap();
    assert!(v.is_whole() && v.files > 2, "{v:?}");
    assert_eq!(v.records, 200);
}

#[test]
fn sp_008_damage_is_seen_by_what_is_written_at_once_too() {
    let (_tmp, ledger) = written(4);
    ledger.append(&entry(5), now()).unwrap();
    write_at_once(&ledger, 6);
    flip_near_the_end(&files::part(ledger.directory(), 1), &files::note_path(ledger.directory()));
    assert!(ledger.write_at_once(&[(&entry(7), now())]).is_none(), "it goes the long way");
    let (told, heard) = std::sync::mpsc::channel();
    ledger.submit(entry(7), Durability::Written, now(), move |w| told.send(w).unwrap());
    let refused = heard.recv().unwrap().unwrap_err();
    assert!(matches!(refused, LedgerFailure::Damaged { .. }), "{refused}");
}
