//! Every situation, by name.

mod beside;
mod bounded;
mod connections;
mod fairness;
mod index;
mod largest;
mod log;
mod sources;
mod starting;
mod unread;

use std::time::Instant;

use anyhow::Result;

use super::figure::Figure;
use super::stage::Stage;
use super::table::Tried;

/// Something that a server has to withstand.
pub struct Situation {
    /// The name by which the situation is asked for.
    pub name: &'static str,
    /// In a line.
    pub about: &'static str,
    run: fn(&Stage) -> Result<Vec<Figure>>,
}

/// All situations, in the order in which they are tried.
pub const SITUATIONS: &[Situation] = &[
    Situation {
        name: "unread-large",
        about: "one stream of 20-megapixel photos at decoded that nobody reads, and an honest client",
        run: unread::large,
    },
    Situation {
        name: "unread-streams",
        about: "eight streams of 1024-pixel photos at decoded on one connection that nobody reads",
        run: unread::streams,
    },
    Situation {
        name: "paused",
        about: "five trainers that have read a batch and are paused, with our clients' windows",
        run: unread::paused,
    },
    Situation {
        name: "unread-encoded",
        about: "16 streams of files of 450 kB at encoded that nobody reads: honest clients at every cut",
        run: unread::encoded,
    },
    Situation {
        name: "slow",
        about: "32 clients that read 20-megapixel photos at 20 kB/s, and an honest one",
        run: unread::slow,
    },
    Situation {
        name: "unread-end",
        about: "who does not read is told so, in a typed way, once the server's patience is over",
        run: unread::end,
    },
    Situation {
        name: "beside",
        about: "an epoch beside 1, 8 and 100 readers that stopped, at every cut, against its own time",
        run: beside::every_cut,
    },
    Situation {
        name: "bounded",
        about: "memory with 4 to 1,000 slow readers at --memory 512MiB",
        run: bounded::slow_readers,
    },
    Situation {
        name: "largest",
        about: "a file of 62 MiB at every cut, with the least --memory that the server starts with",
        run: largest::every_cut,
    },
    Situation {
        name: "silent",
        about: "256 connections that say nothing, half a preface or a preface; the same at the metrics port",
        run: connections::silent,
    },
    Situation {
        name: "full-house",
        about: "more clients than --max-connections: told so in a typed way, counted, logged, and served later",
        run: connections::full_house,
    },
    Situation {
        name: "stopped",
        about: "a program that is stopped by a signal at decoded, with 20-megapixel photos and --memory 512MiB",
        run: fairness::stopped,
    },
    Situation {
        name: "strangers",
        about: "an epoch beside 10,000 connections that say nothing, drip, speak HTTP/1 or make noise",
        run: fairness::strangers,
    },
    Situation {
        name: "shares",
        about: "an epoch beside a client with 64 calls, and beside 64 calls of low priority",
        run: fairness::shares,
    },
    Situation { name: "listing", about: "probes and clients while a listing does not end", run: starting::listing },
    Situation { name: "hang-up", about: "SIGHUP with an open stream", run: starting::hang_up },
    Situation { name: "log", about: "a log on a full disk, and one whose reader has left", run: log::unwritable },
    Situation { name: "index-fifo", about: "entries of the photo index that are FIFOs", run: index::fifo },
    Situation { name: "index-deleted", about: "the photo index is deleted under a server", run: index::deleted },
    Situation { name: "index-dead", about: "entries of photos that are gone", run: index::dead_entries },
    Situation { name: "photo-gone", about: "a photo that is deleted after the listing", run: index::photo_gone },
];

/// Sources of very many samples, which take minutes and gigabytes: tried where they are named.
pub const SOURCES: &[Situation] = &[
    Situation {
        name: "members",
        about: "a million members of tar files, indexed by a server that is killed at half of them, and by the next",
        run: sources::members,
    },
    Situation {
        name: "objects",
        about: "a bucket of ten million objects: a first start, a restart, and one after some have changed",
        run: sources::objects,
    },
];

/// The situation of this name.
pub fn find(name: &str) -> Option<&'static Situation> {
    SITUATIONS.iter().chain(SOURCES).find(|situation| situation.name == name)
}

// === impl Situation ===

impl Situation {
    /// Tries it; what could not be tried is a figure that does not hold.
    pub fn run(&self, stage: &Stage) -> Tried {
        let started = Instant::now();
        let failed = |error: anyhow::Error| vec![Figure::holds("tried", format!("{error:#}"), "to its end", false)];
        stage.progress(self.name);
        let figures = (self.run)(stage).unwrap_or_else(failed);
        stage.quiet();
        Tried { situation: self.name, seconds: started.elapsed().as_secs_f64(), figures }
    }
}
