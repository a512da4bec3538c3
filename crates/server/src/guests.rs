//! Who has the places among the connections: a client that has many cedes idle ones to clients that have fewer.
//!
//! A connection without a call is one that its client keeps for later. Where all places are taken, and another client
//! comes that has at least two fewer than the one that has most, the idle connection of the latter is closed that has
//! been idle for longest. Its client opens another when it needs one, or waits for a place then, as others do.
//! A connection with a call is never closed for another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::peer::Peer;

/// The connections that have a place.
#[derive(Debug, Default)]
pub(crate) struct Guests(Mutex<Vec<Guest>>);

#[derive(Debug)]
struct Guest {
    client: String,
    peer: Peer,
    /// The place, while there is the connection.
    seat: Weak<()>,
    cedes: bool,
}

// === impl Guests ===

impl Guests {
    /// A connection has a place for as long as there is this.
    pub(crate) fn add(&self, peer: &Peer) -> Arc<()> {
        let (seat, mut guests) = (Arc::new(()), self.0.lock().unwrap_or_else(PoisonError::into_inner));
        guests.retain(|guest| guest.seat.strong_count() > 0);
        let guest = Guest { client: peer.client(), peer: peer.clone(), seat: Arc::downgrade(&seat), cedes: false };
        guests.push(guest);
        seat
    }

    /// Hangs up on an idle connection of the client that has most, if that is at least two more than `client` has.
    /// Whether there was one: its place is free in a moment.
    pub(crate) fn cede(&self, client: &str) -> bool {
        let mut guests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guests.retain(|guest| guest.seat.strong_count() > 0);
        let mut counts = HashMap::<&str, usize>::new();
        for guest in guests.iter().filter(|guest| !guest.cedes) {
            *counts.entry(&guest.client).or_default() += 1;
        }
        let least = counts.get(client).copied().unwrap_or_default() + 2;
        let most = counts.values().copied().max().unwrap_or_default();
        if most < least {
            return false;
        }
        let many: Vec<_> =
            counts.into_iter().filter(|(_, count)| *count == most).map(|(of, _)| of.to_owned()).collect();
        let idle = guests.iter_mut().filter(|guest| !guest.cedes && many.contains(&guest.client));
        let idle = idle.filter_map(|guest| Some((guest.peer.idle_since()?, guest)));
        let Some((_, guest)) = idle.min_by_key(|(since, _)| *since) else { return false };
        guest.cedes = true;
        guest.peer.hang_up();
        true
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn peer(address: &str) -> Peer {
        Peer::new(Some(address.parse::<SocketAddr>().unwrap()))
    }

    fn is_hung_up(peer: &Peer) -> bool {
        use futures::FutureExt as _;
        peer.hung_up().now_or_never().is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_connection_of_who_has_most_makes_way_for_who_has_fewer() {
        let guests = Guests::default();
        let many = [1, 2, 3].map(|port| peer(&format!("10.0.0.1:{port}")));
        let seats: Vec<_> = many.iter().map(|peer| guests.add(peer)).collect();
        let call = many[0].begin();
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        drop(many[1].begin());
        // 3 of one client, none of the other: the third has been idle for longest, and the first is at work.
        assert!(guests.cede("10.0.0.2"));
        assert_eq!(many.each_ref().map(is_hung_up), [false, false, true]);
        // It has the place now: 2 and 1 are as even as they can be.
        let other = peer("10.0.0.2:1");
        let _seat = guests.add(&other);
        assert!(!guests.cede("10.0.0.2") && !is_hung_up(&other));
        assert!(guests.cede("10.0.0.3"));
        assert!(is_hung_up(&many[1]));
        drop((seats, call));
    }

    #[tokio::test]
    async fn who_is_at_work_and_who_has_no_more_than_others_keeps_what_it_has() {
        let guests = Guests::default();
        let busy = [1, 2, 3].map(|port| peer(&format!("10.0.0.1:{port}")));
        let _seats: Vec<_> = busy.iter().map(|peer| guests.add(peer)).collect();
        let calls: Vec<_> = busy.iter().map(Peer::begin).collect();
        assert!(!guests.cede("10.0.0.2"));
        drop(calls);
        assert!(!guests.cede("10.0.0.1"));
        assert!(!busy.iter().any(is_hung_up));
    }
}
