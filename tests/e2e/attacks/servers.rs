//! Servers on loopback that record who comes: the attacker's, one that must not be reached, and one with hostile pages.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use oc_agent::handlers::web_fetch::{Destinations, PublicOnly};

/// Where the pages lie: an address of loopback that nothing else here has, so that it alone can be let through.
pub const PAGES: &str = "127.0.0.9";

/// The public internet of the tests: the pages, and for everything else the real rule.
#[derive(Debug)]
pub struct PagesAnd;

impl Destinations for PagesAnd {
    fn permits_host(&self, host: &str) -> bool {
        host == PAGES || PublicOnly.permits_host(host)
    }

    fn permits_address(&self, address: IpAddr) -> bool {
        address.to_string() == PAGES || PublicOnly.permits_address(address)
    }
}

/// A server; ends with this value.
#[derive(Debug)]
pub struct Server {
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    pages: HashMap<String, (u16, String)>,
    seen: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Server {
    /// Serves these paths: status, and a body or, of a redirect, where it leads. Everything else is an empty page.
    pub fn start(host: &str, pages: impl IntoIterator<Item = (String, (u16, String))>) -> Self {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { pages: pages.into_iter().collect(), ..Shared::default() });
        let its = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if its.over.load(Ordering::SeqCst) {
                    break;
                }
                let its = Arc::clone(&its);
                thread::spawn(move || its.serve(stream));
            }
        });
        Self { address, shared }
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first lines of requests so far; of a connection without one, that it was made.
    pub fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut first = String::new();
        let _ = reader.read_line(&mut first);
        self.seen.lock().unwrap().push(first.trim().to_owned());
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(n) if n > 0 && !line.trim().is_empty() => {}
                _ => break,
            }
        }
        let path = first.split(' ').nth(1).unwrap_or("/").split('?').next().unwrap_or("/");
        let (status, body) = self.pages.get(path).cloned().unwrap_or((200, String::new()));
        let head = if (300..400).contains(&status) {
            format!(
                "HTTP/1.1 {status} Moved\r\nlocation: {body}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        } else {
            format!(
                "HTTP/1.1 {status} OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
        };
        let _ = stream.write_all(head.as_bytes());
    }
}
