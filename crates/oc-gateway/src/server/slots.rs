//! How many sockets may be open that have not shown a credential yet (SP-338).
//!
//! Callers from outside: [`PER_CALLER`] for each address (IPv6 by /64) and [`OUTSIDE`] in all; what is over is dropped. Programs of this
//! machine have places of their own, so that nobody outside can use them up; they wait for one for a moment.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Sockets without a credential for each address from outside.
pub const PER_CALLER: usize = 64;
/// Sockets without a credential from outside, in all.
pub const OUTSIDE: usize = 512;
/// Sockets without a credential of this machine's own programs.
pub const LOCAL: usize = 512;
/// How long a program of this machine waits for a place.
const PATIENCE: Duration = Duration::from_secs(8);

/// How many places each caller from outside holds.
type Holders = Arc<Mutex<HashMap<u64, usize>>>;

/// The places.
#[derive(Debug)]
pub struct Slots {
    outside: Arc<Semaphore>,
    local: Arc<Semaphore>,
    callers: Holders,
}

/// A place; given back when dropped, which the holder does once the caller has shown a credential.
#[derive(Debug)]
pub struct Slot {
    _place: OwnedSemaphorePermit,
    caller: Option<(u64, Holders)>,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            outside: Arc::new(Semaphore::new(OUTSIDE)),
            local: Arc::new(Semaphore::new(LOCAL)),
            callers: Arc::default(),
        }
    }
}

impl Slots {
    /// Takes a place for a socket. `None`: there is none, and the socket is closed unread.
    pub async fn take(&self, remote: IpAddr) -> Option<Slot> {
        let remote = remote.to_canonical();
        if remote.is_loopback() {
            let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.local).acquire_owned()).await;
            return place.ok()?.ok().map(|place| Slot { _place: place, caller: None });
        }
        let key = key(remote);
        let place = Arc::clone(&self.outside).try_acquire_owned().ok()?;
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let held = callers.entry(key).or_default();
        if *held >= PER_CALLER {
            return None;
        }
        *held = held.saturating_add(1);
        Some(Slot { _place: place, caller: Some((key, Arc::clone(&self.callers))) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some((key, callers)) = self.caller.take() else { return };
        let mut callers = callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = callers.get_mut(&key) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                callers.remove(&key);
            }
        }
    }
}

/// IPv4 by address, IPv6 by /64; the two never meet.
fn key(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(v4) => u64::from(u32::from(v4)),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            let net = [a, b, c, d].iter().fold(0u64, |sum, s| (sum << 16) | u64::from(*s));
            net | (1 << 63)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sp_338_one_address_cannot_take_all_places_and_gives_them_back() {
        let slots = Slots::default();
        let (one, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut held = Vec::new();
        for _ in 0..PER_CALLER {
            held.push(slots.take(one).await.unwrap());
        }
        assert!(slots.take(one).await.is_none());
        assert!(slots.take(other).await.is_some());
        held.pop();
        assert!(slots.take(one).await.is_some());
        drop(held);
        assert!(slots.callers.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn sp_338_outsiders_leave_the_machines_own_programs_their_places() {
        let slots = Slots::default();
        let mut held = Vec::new();
        for n in 0..u32::try_from(OUTSIDE).unwrap() {
            held.push(slots.take(IpAddr::V4((0xC633_6400 + n).into())).await.unwrap());
        }
        assert!(slots.take("203.0.113.9".parse().unwrap()).await.is_none());
        assert!(slots.take("127.0.0.1".parse().unwrap()).await.is_some());
    }
}
