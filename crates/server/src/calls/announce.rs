//! `Announce`: what a rank of a training job reads next.

use std::sync::Arc;

use headwater_policy::jobs::{Announced, Announcer, Choice, EpochOrder, OrderSettings, Statement};
use headwater_types::Digest;
use headwater_wire::announce::{AnnouncedOrder, Announcement, Outcome, Said};
use headwater_wire::proto::{self, AnnounceAnswer, AnnounceRequest};
use headwater_wire::status::Invalid;
use tonic::{Request, Status};

use super::desk::{Desk, OfDataset};

pub(super) fn announce(desk: &Desk, request: Request<AnnounceRequest>) -> Result<AnnounceAnswer, Status> {
    let (offer, Announcement { job, rank, lease, said, .. }) = desk.check(request)?;
    let samples = offer.generation.catalog().len() as u64;
    let statement = statement(said, samples).map_err(|invalid| desk.refuse(invalid))?;
    let outcome = match offer.generation.jobs.announce(&Announcer { job, rank, lease }, statement) {
        Announced::Counts => Outcome::Counts,
        Announced::Unheard => Outcome::Unheard,
        Announced::Full => Outcome::Full,
    };
    Ok(AnnounceAnswer { outcome: proto::Announced::from(outcome).into() })
}

/// What was said, to a server that has so many samples.
fn statement(said: Said, here: u64) -> Result<Statement, Invalid> {
    Ok(match said {
        Said::Unknown => Statement::Unknown,
        Said::Reached(address, position) => Statement::Reached(address, position),
        Said::Ends => Statement::Ends,
        Said::Begins(AnnouncedOrder { address, shuffle, samples, first, choice, repeats, position }) => {
            let end = first.checked_add(here).filter(|end| *end <= samples);
            let end =
                end.ok_or_else(|| Invalid::new(format!("{here} samples here are not within the {samples} of all")))?;
            let choice = choice.map(|list| Choice::new(&list)).transpose();
            let choice = choice.map_err(|error| Invalid::new(error.to_string()))?.map(Arc::new);
            let settings = OrderSettings { address, shuffle, samples, part: first..end, choice, repeats };
            Statement::Begins(Box::new(EpochOrder::new(settings)), position)
        }
    })
}

// === impl Announcement ===

impl OfDataset for Announcement {
    fn dataset(&self) -> &str {
        &self.dataset
    }

    fn dataset_digest(&self) -> Option<Digest> {
        self.dataset_digest
    }
}
