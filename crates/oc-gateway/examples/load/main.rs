//! The load generator of `cargo xtask bench gateway` and `cargo xtask soak`, and the bare server that is measured beside: a process of its
//! own, on loopback only.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "a tool of the tests"
)]

mod bare;
mod hostile;
mod load;
mod sessions;
mod soak;
#[path = "../../tests/support/world.rs"]
mod support;

use std::str::FromStr;

const USAGE: &str = "load bare PORT | hello TOKEN PORT PROGRAM.. | hold PORT TOKEN CLIENTS | handshakes PORT TOKEN SECONDS PARALLEL | \
                     calls PORT TOKEN SECONDS PARALLEL | http PORT TOKEN SECONDS PARALLEL STATUS METHOD PATH BODY | \
                     soak PROGRAM SECONDS CLIENTS | model PORT | turns PORT TOKEN SESSIONS PARALLEL";

fn main() {
    // Ten thousand sockets on each side.
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let wanted = rustix::process::Rlimit { current: most.maximum, maximum: most.maximum };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, wanted);
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let done = match words.first().map(String::as_str) {
        Some("bare") => runtime.block_on(bare::serve(number(&words, 1))),
        Some("hello") => runtime.block_on(load::hello(&words[1], number(&words, 2), &words[3..])),
        Some("hold") => runtime.block_on(load::hold(number(&words, 1), &words[2], number(&words, 3))),
        Some("handshakes") => runtime.block_on(load::handshakes(
            number(&words, 1),
            &words[2],
            number(&words, 3),
            number(&words, 4),
        )),
        Some("calls") => {
            runtime.block_on(load::calls(number(&words, 1), &words[2], number(&words, 3), number(&words, 4)))
        }
        Some("http") => runtime.block_on(load::http(&load::Http {
            port: number(&words, 1),
            token: words[2].clone(),
            seconds: number(&words, 3),
            parallel: number(&words, 4),
            status: number(&words, 5),
            method: words[6].clone(),
            path: words[7].clone(),
            body: words[8].clone(),
        })),
        Some("soak") => runtime.block_on(soak::run(&words[1], number(&words, 2), number(&words, 3))),
        Some("model") => runtime.block_on(sessions::model(number(&words, 1))),
        Some("turns") => runtime.block_on(sessions::turns(
            number(&words, 1),
            &words[2],
            number(&words, 3),
            number(&words, 4),
        )),
        _ => {
            eprintln!("{USAGE}");
            false
        }
    };
    runtime.shutdown_background();
    std::process::exit(i32::from(!done));
}

fn number<T: FromStr>(words: &[String], at: usize) -> T {
    words.get(at).and_then(|w| w.parse().ok()).unwrap_or_else(|| panic!("{USAGE}"))
}
