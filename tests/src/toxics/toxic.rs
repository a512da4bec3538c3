//! The ten kinds, and what each does to which answers.

use std::time::Duration;

use super::act::Act;

/// What is wrong with a network or a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toxic {
    /// 503 SlowDown to everything for a while; by even seeds from the first read on, by odd ones from the start.
    Unavailable,
    /// 429 with `Retry-After` to 4 reads of 10.
    TooMany,
    /// 3 answers of 10 end at half.
    Reset,
    /// One object is never answered; by even seeds only the first time.
    Hang,
    /// One object comes byte by byte; by even seeds 2 reads of 10, the first time.
    Drip,
    /// The Content-Length is wrong in 3 answers of 10; by odd seeds always in that of one object.
    Length,
    /// Listings end in the middle, whole by their length; by even seeds twice, by odd ones always.
    Truncated,
    /// Listings are errors with status 200; by even seeds SlowDown twice, by odd ones a missing right, always.
    ErrorWith200,
    /// Pages of HTML with status 200; by even seeds twice a listing and 3 first reads of 10, by odd ones every listing.
    Html,
    /// The token has expired; by even seeds after some reads, by odd ones from the start.
    Expired,
}

/// A kind, its seed, and for how long what passes lasts.
#[derive(Clone, Copy, Debug)]
pub struct Strain {
    /// What is wrong.
    pub toxic: Toxic,
    /// Which answers it hits.
    pub seed: u64,
    /// For how long a store refuses that comes back.
    pub outage: Duration,
}

/// A request, as the proxy sees it.
pub(super) struct SeenRequest<'a> {
    /// The object's path; `None` for a listing.
    pub(super) object: Option<&'a str>,
    /// Whether the request is for the object that the seed chooses.
    pub(super) is_chosen: bool,
    /// How often it was asked for before.
    pub(super) before: u32,
    /// How many reads there were before.
    pub(super) reads: u32,
    /// Time since the first request that the outage is counted from.
    pub(super) since: Duration,
    /// Uniform in [0, 1), by the seed and all requests before.
    pub(super) dice: f64,
}

const SLOW_DOWN: &str =
    "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
const EXPIRED: &str =
    "<?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
const DENIED: &str = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
const PAGE: &str =
    "<html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>Log in</title></head><body><p>Log in</p></body></html>";
const XML: &str = "Content-Type: application/xml\r\n";
const HTML: &str = "Content-Type: text/html\r\n";

// === impl Toxic ===

impl Toxic {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Unavailable,
        Self::TooMany,
        Self::Reset,
        Self::Hang,
        Self::Drip,
        Self::Length,
        Self::Truncated,
        Self::ErrorWith200,
        Self::Html,
        Self::Expired,
    ];
}

// === impl Strain ===

impl Strain {
    /// Whether the seed is one of those that end badly, or early.
    pub(super) fn is_odd(&self) -> bool {
        self.seed % 2 == 1
    }

    /// Whether the outage begins with the first request, and not with the first read.
    pub(super) fn is_from_the_start(&self) -> bool {
        self.is_odd()
    }

    /// Words of the error with which a server must refuse to start; `None` where it must not.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        match self.toxic {
            Toxic::Truncated if self.is_odd() => Some("no whole listing"),
            Toxic::ErrorWith200 if self.is_odd() => Some("AccessDenied"),
            Toxic::Html if self.is_odd() => Some("it begins \"<html"),
            Toxic::Expired if self.is_odd() => Some("the credentials have expired"),
            _ => None,
        }
    }

    /// Words of the failure of the chosen object; `None` where all come. For an expired token that is every object's.
    pub(super) fn failure(&self) -> Option<&'static str> {
        match self.toxic {
            Toxic::Hang | Toxic::Drip | Toxic::Length if self.is_odd() => {
                Some("the store gives others, and not this one")
            }
            Toxic::Expired if !self.is_odd() => Some("the credentials have expired"),
            _ => None,
        }
    }

    /// What is done to this one.
    pub(super) fn act(&self, seen: &SeenRequest<'_>) -> Act {
        let (is_read, is_first) = (seen.object.is_some(), seen.before == 0);
        let always = self.is_odd();
        let some = |share: f64| seen.dice < share;
        match self.toxic {
            Toxic::Unavailable if seen.since < self.outage && (is_read || always) => {
                Act::Instead { status: 503, headers: XML, body: SLOW_DOWN }
            }
            Toxic::TooMany if is_read && some(0.4) => {
                Act::Instead { status: 429, headers: "Retry-After: 1\r\n", body: "" }
            }
            Toxic::Reset if some(0.3) => Act::Half,
            Toxic::Hang if seen.is_chosen && (always || is_first) => Act::Hang,
            Toxic::Drip if always && seen.is_chosen => Act::Drip,
            Toxic::Drip if !always && is_read && is_first && some(0.2) => Act::Drip,
            Toxic::Length if always && seen.is_chosen => Act::Longer(7),
            Toxic::Length if is_read && some(0.3) => Act::Longer(if some(0.15) { -7 } else { 7 }),
            Toxic::Truncated if !is_read && (always || seen.before < 2) => Act::Truncated,
            Toxic::ErrorWith200 if !is_read && always => Act::Instead { status: 200, headers: XML, body: DENIED },
            Toxic::ErrorWith200 if !is_read && seen.before < 2 => {
                Act::Instead { status: 200, headers: XML, body: SLOW_DOWN }
            }
            Toxic::Html if !is_read && (always || seen.before < 2) => {
                Act::Instead { status: 200, headers: HTML, body: PAGE }
            }
            Toxic::Html if is_read && is_first && some(0.3) => Act::Instead { status: 200, headers: HTML, body: PAGE },
            Toxic::Expired if always || is_read && seen.reads >= 20 => {
                Act::Instead { status: 400, headers: XML, body: EXPIRED }
            }
            _ => Act::Pass,
        }
    }
}
