//! For how long who waits for whom: every time limit on the way of a sample, in one table, from the innermost to the
//! outermost.
//!
//! ```text
//! S3_SILENCE < S3_REQUEST < S3_HOPELESS < STORE_WAIT < CALL_STALL < CLIENT_PATIENCE
//! no byte      one request  one object    one sample   one call     one server
//!               └────────── server ──────────────────┘ └──── client ───────────┘
//! ```
//!
//! Invariant: each limit is shorter than the next, so that whoever is nearest to a fault finds it, and says what it is.
//! With two that are equal, as the store's and the client's once were, a client blames a server for an object that
//! hangs.

use std::time::Duration;

/// Time in which an S3 store must accept a connection: across a continent it takes 0.2 s.
pub const S3_CONNECT: Duration = Duration::from_secs(5);
/// Silence of an S3 store in the middle of a request after which it is asked anew: it answers in 0.1 s, and within 2 s
/// where it is slow.
pub const S3_SILENCE: Duration = Duration::from_secs(8);
/// Time that one S3 request may take: 64 MiB at 20 Mbit/s.
pub const S3_REQUEST: Duration = Duration::from_secs(30);
/// Time after which an S3 object that does not come, while others do, is given up. Longer than one request, so that a
/// large object has a second chance.
pub const S3_HOPELESS: Duration = Duration::from_secs(45);
/// Time for which a sample waits for its store: a store that throttles everybody for a minute is waited out, with what
/// the pauses add to it.
pub const STORE_WAIT: Duration = Duration::from_secs(80);
/// Silence on a call that is being read after which a client makes it anew.
pub const CALL_STALL: Duration = Duration::from_secs(90);
/// Time without a sign of life from a server after which a client ends with an error. Settings: `--give-up-after`,
/// `patience`.
pub const CLIENT_PATIENCE: Duration = Duration::from_secs(120);

/// Time for which a store that has never answered is asked: longer would hide a wrong address, shorter a store that
/// starts beside its server.
pub const S3_FIRST_ANSWER: Duration = Duration::from_secs(10);
/// Time for which one page of a listing is asked for: to begin a listing of millions again costs more than to wait. Who
/// waits for the server hears meanwhile what the store says.
pub const S3_PAGE_WAIT: Duration = Duration::from_secs(300);

/// The pause before the first new try of an S3 request; each further one is twice as long.
pub const S3_FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between two tries: a tenth of what a sample waits, so that many are left when the store is back.
pub const S3_LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The longest `Retry-After` that is believed.
pub const S3_LONGEST_RETRY_AFTER: Duration = S3_PAGE_WAIT;

/// Time for which a read has waited for its store when those who wait for the sample are told of it: before a server
/// first says of a stream that it waits, so that it says for what.
pub const STORE_WAIT_TOLD: Duration = Duration::from_secs(1);
/// How long a start waits for a listing before it serves what the last start listed: half of the 10 s in which a server
/// is to serve, so that loading millions of samples has the other half.
pub const FIRST_LISTING: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_nest_and_each_leaves_the_next_time_to_say_what_it_found() {
        let told_within = Duration::from_secs(2);
        let nest = [S3_CONNECT, S3_SILENCE, S3_REQUEST, S3_HOPELESS, STORE_WAIT, CALL_STALL, CLIENT_PATIENCE];
        for limits in nest.windows(2) {
            assert!(limits[0] + told_within <= limits[1], "{limits:?}");
        }
        // A minute of refusals is survived: the last pause begins before it ends.
        assert!(Duration::from_secs(60) + S3_LONGEST_PAUSE * 2 < STORE_WAIT);
        assert!(STORE_WAIT < S3_PAGE_WAIT && S3_FIRST_ANSWER < STORE_WAIT);
        // An object that hangs is tried several times before it is given up.
        assert!(S3_SILENCE * 4 < S3_HOPELESS && S3_LONGEST_PAUSE < S3_SILENCE);
        assert!(STORE_WAIT_TOLD * 10 < CALL_STALL);
    }
}
