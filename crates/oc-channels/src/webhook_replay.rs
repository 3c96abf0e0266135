//! Deliveries of webhooks that were taken already: a signed request that comes again, from the service or from somebody who has seen it, is
//! no second event (SP-414).
//!
//! One memory belongs to one route, and only what was verified enters it, so that nobody without the route's secret pushes anything out.
//! Bounded by number and not by time: not every service signs a time.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::digest;

/// How many deliveries of a route are remembered; the oldest go.
pub const MOST: usize = 10_000;

/// What a delivery is known by.
pub type Name = [u8; digest::SHA256_OUTPUT_LEN];

/// The name of a verified delivery: what the service calls it, else its bytes.
#[must_use]
pub fn name(delivery: Option<&str>, body: &[u8]) -> Name {
    let mut context = digest::Context::new(&digest::SHA256);
    // The first byte keeps an id and a body apart that read the same.
    match delivery {
        Some(id) => {
            context.update(&[0]);
            context.update(id.as_bytes());
        }
        None => {
            context.update(&[1]);
            context.update(body);
        }
    }
    let mut out = Name::default();
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

#[derive(Debug, Default)]
struct Known {
    taken: HashSet<Name>,
    order: VecDeque<Name>,
    busy: HashSet<Name>,
}

/// The memory of one route.
#[derive(Clone, Debug, Default)]
pub struct Deliveries(Arc<Mutex<Known>>);

/// Why a delivery is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// It was taken.
    Taken,
    /// It is being looked at at this moment; that may yet fail.
    Busy,
}

/// A delivery that is being looked at. Dropped without [`Looking::taken`], it may come again.
#[derive(Debug)]
pub struct Looking {
    known: Deliveries,
    name: Name,
}

impl Deliveries {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A verified delivery comes.
    ///
    /// # Errors
    /// [`Before`]: it came before.
    pub fn begin(&self, name: Name) -> Result<Looking, Before> {
        let mut known = self.known();
        if known.taken.contains(&name) {
            return Err(Before::Taken);
        }
        if !known.busy.insert(name) {
            return Err(Before::Busy);
        }
        Ok(Looking { known: self.clone(), name })
    }
}

impl Looking {
    /// All of it was taken: it does not count again.
    pub fn taken(self) {
        let mut known = self.known.known();
        if known.taken.insert(self.name) {
            known.order.push_back(self.name);
        }
        if known.order.len() > MOST
            && let Some(old) = known.order.pop_front()
        {
            known.taken.remove(&old);
        }
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.known.known().busy.remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sp_414_a_delivery_that_was_taken_is_not_taken_again() {
        let route = Deliveries::default();
        let first = route.begin(name(None, b"body")).unwrap();
        assert_eq!(route.begin(name(None, b"body")).unwrap_err(), Before::Busy);
        // It was not taken, so it may come again.
        drop(first);
        route.begin(name(None, b"body")).unwrap().taken();
        assert_eq!(route.begin(name(None, b"body")).unwrap_err(), Before::Taken);
        // An id is no body, and another route has a memory of its own.
        route.begin(name(Some("body"), b"body")).unwrap().taken();
        assert_eq!(route.begin(name(Some("body"), b"other bytes")).unwrap_err(), Before::Taken);
        assert!(Deliveries::default().begin(name(None, b"body")).is_ok());
    }

    #[test]
    fn sp_414_the_memory_of_deliveries_is_bounded() {
        let route = Deliveries::default();
        for i in 0..=MOST {
            route.begin(name(None, &i.to_be_bytes())).unwrap().taken();
        }
        assert_eq!(route.known().taken.len(), MOST);
        assert!(route.begin(name(None, &0_usize.to_be_bytes())).is_ok(), "the oldest went");
        assert!(route.begin(name(None, &1_usize.to_be_bytes())).is_err());
        assert!(route.known().busy.is_empty());
    }
}
