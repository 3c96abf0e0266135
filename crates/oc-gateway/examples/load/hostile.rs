//! Clients that mean no good, one thing after the other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::load;

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

/// One piece of mischief after the other until it is over. Returns how many were let in, which is none.
pub async fn run(port: u16, seed: usize, over: &AtomicBool) -> u64 {
    let mut let_in = 0;
    let mut n = seed;
    while !over.load(Ordering::SeqCst) {
        n = n.wrapping_add(1);
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
        let sent: Vec<u8> = match n % 9 {
            0 => (0..4000_usize).map(|i| u8::try_from(i.wrapping_mul(n * 31 + 7) % 251).unwrap()).collect(),
            1 => format!("GET /{} HTTP/1.1\r\n", "a".repeat(40_000)).into_bytes(),
            2 => format!("{UPGRADE}\u{1}").into_bytes(),
            3 => [UPGRADE.as_bytes(), &[0x81, 0xFF, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]].concat(),
            4 => [UPGRADE.as_bytes(), &[0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0x86, 0xA0, 0, 0, 0, 0], &[b'x'; 90_000]].concat(),
            5 => b"POST /tools/invoke HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nX-Forwarded-For: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}".to_vec(),
            6 => format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: y\r\n".repeat(150)).into_bytes(),
            7 => {
                let_in += u64::from(load::enter(port, "not-the-secret").await.is_some());
                continue;
            }
            _ => b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: evil.example\r\nOrigin: null\r\n\r\n".to_vec(),
        };
        let _ = stream.write_all(&sent).await;
        // Some stay and take nothing, some leave at once, some read.
        let mut some = [0_u8; 256];
        let stay = Duration::from_millis(u64::try_from(n % 7 * 150).unwrap());
        let _ = tokio::time::timeout(stay, stream.read(&mut some)).await;
    }
    let_in
}
