//! What a rank of a training job announces, checked.

use std::time::Duration;

use headwater_types::caps::MAX_ANNOUNCED_CHOICE;
use headwater_types::{Address, Digest, JobName};

use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// An announcement of a rank about one partition of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The dataset's name.
    pub dataset: String,
    /// The digest of the partition that the job reads.
    pub dataset_digest: Option<Digest>,
    /// The job.
    pub job: JobName,
    /// The rank, from 0.
    pub rank: u32,
    /// How long this counts if nothing more comes.
    pub lease: Duration,
    /// What is announced.
    pub said: Said,
}

/// What is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A pass begins, or goes on, in an order that a server can compute.
    Begins(AnnouncedOrder),
    /// A pass in an order that only the job knows.
    Unknown,
    /// In the pass of this address, what is before this position is done.
    Reached(Address, u64),
    /// The rank is done for good.
    Ends,
}

/// An order that can be computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncedOrder {
    /// Seed and number of the epoch.
    pub address: Address,
    /// Whether the samples come in the permutation of that address.
    pub shuffle: bool,
    /// Samples of the whole dataset, on all servers.
    pub samples: u64,
    /// The first of them that the server has.
    pub first: u64,
    /// The epoch's samples, as indices into the whole dataset; `None`: all.
    pub choice: Option<Vec<u64>>,
    /// Whether the epochs that follow have the same samples.
    pub repeats: bool,
    /// What is before this position is done.
    pub position: u64,
}

/// What became of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It counts.
    Counts,
    /// The server has not heard of the pass.
    Unheard,
    /// The server keeps no more jobs.
    Full,
}

// === impl Announcement ===

impl TryFrom<proto::AnnounceRequest> for Announcement {
    type Error = Invalid;

    fn try_from(request: proto::AnnounceRequest) -> Result<Self, Invalid> {
        use proto::announce_request::Statement;

        let proto::AnnounceRequest { dataset, dataset_digest, job, rank, lease_milliseconds, statement } = request;
        let said = match statement {
            Some(Statement::Begins(order)) => Said::Begins(order.try_into()?),
            Some(Statement::Unknown(proto::UnknownOrder {})) => Said::Unknown,
            Some(Statement::Reached(proto::EpochProgress { seed, epoch, position })) => {
                Said::Reached(Address::new(seed, epoch), position)
            }
            Some(Statement::Ends(proto::JobEnd {})) => Said::Ends,
            None => return Err(Invalid::new("the announcement says nothing: give one of its statements")),
        };
        let job = job.parse().map_err(|error| Invalid::new(format!("{error}")))?;
        let lease = Duration::from_millis(lease_milliseconds);
        Ok(Self { dataset, dataset_digest: digest_from(&dataset_digest)?, job, rank, lease, said })
    }
}

impl From<Announcement> for proto::AnnounceRequest {
    fn from(announcement: Announcement) -> Self {
        use proto::announce_request::Statement;

        let Announcement { dataset, dataset_digest, job, rank, lease, said } = announcement;
        let statement = match said {
            Said::Begins(order) => Statement::Begins(order.into()),
            Said::Unknown => Statement::Unknown(proto::UnknownOrder {}),
            Said::Reached(Address { seed, epoch }, position) => {
                Statement::Reached(proto::EpochProgress { seed: seed.0, epoch: epoch.0, position })
            }
            Said::Ends => Statement::Ends(proto::JobEnd {}),
        };
        Self {
            dataset,
            dataset_digest: dataset_digest.map(|digest| digest.as_bytes().to_vec().into()).unwrap_or_default(),
            job: job.as_str().to_owned(),
            rank,
            lease_milliseconds: u64::try_from(lease.as_millis()).unwrap_or(u64::MAX),
            statement: Some(statement),
        }
    }
}

// === impl AnnouncedOrder ===

impl AnnouncedOrder {
    /// How many samples the epoch has.
    fn length(&self) -> u64 {
        self.choice.as_ref().map_or(self.samples, |choice| choice.len() as u64)
    }
}

impl TryFrom<proto::EpochOrder> for AnnouncedOrder {
    type Error = Invalid;

    fn try_from(order: proto::EpochOrder) -> Result<Self, Invalid> {
        let proto::EpochOrder { seed, epoch, shuffle, samples, first, is_chosen, choice, repeats, position } = order;
        if choice.len() > MAX_ANNOUNCED_CHOICE {
            let message = format!("a choice of {} samples is longer than {MAX_ANNOUNCED_CHOICE}", choice.len());
            return Err(Invalid::new(message));
        }
        if !is_chosen && !choice.is_empty() {
            return Err(Invalid::new("the order has a choice, and says that it has none"));
        }
        let choice = is_chosen.then(|| summed(&choice, samples)).transpose()?;
        let order = Self { address: Address::new(seed, epoch), shuffle, samples, first, choice, repeats, position };
        if first > samples || position > order.length() {
            let message = format!("position {position} or first sample {first} is past the end of the epoch's order");
            return Err(Invalid::new(message));
        }
        Ok(order)
    }
}

/// Indices below `samples`, from the difference of each to the one before.
fn summed(differences: &[i64], samples: u64) -> Result<Vec<u64>, Invalid> {
    let mut last = 0_u64;
    let next = |&difference: &i64| {
        last = last.checked_add_signed(difference).filter(|&sample| sample < samples)?;
        Some(last)
    };
    let summed: Option<_> = differences.iter().map(next).collect();
    summed.ok_or_else(|| Invalid::new(format!("a choice has a sample that is not one of the {samples}")))
}

impl From<AnnouncedOrder> for proto::EpochOrder {
    fn from(order: AnnouncedOrder) -> Self {
        let AnnouncedOrder { address, shuffle, samples, first, choice, repeats, position } = order;
        let is_chosen = choice.is_some();
        let mut last = 0_u64;
        let difference = |sample| sample_difference(std::mem::replace(&mut last, sample), sample);
        let choice = choice.unwrap_or_default().into_iter().map(difference).collect();
        let (seed, epoch) = (address.seed.0, address.epoch.0);
        Self { seed, epoch, shuffle, samples, first, is_chosen, choice, repeats, position }
    }
}

/// From one index to another. Indices are below 2^63, since a dataset's samples are counted in memory.
fn sample_difference(from: u64, to: u64) -> i64 {
    to.wrapping_sub(from).cast_signed()
}

// === impl Outcome ===

impl From<Outcome> for proto::Announced {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Counts => Self::Counts,
            Outcome::Unheard => Self::Unheard,
            Outcome::Full => Self::Full,
        }
    }
}

impl TryFrom<proto::AnnounceAnswer> for Outcome {
    type Error = Invalid;

    fn try_from(answer: proto::AnnounceAnswer) -> Result<Self, Invalid> {
        match answer.outcome() {
            proto::Announced::Counts => Ok(Self::Counts),
            proto::Announced::Unheard => Ok(Self::Unheard),
            proto::Announced::Full => Ok(Self::Full),
            proto::Announced::Unspecified => Err(Invalid::new("the answer does not say what came of an announcement")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement(said: Said) -> Announcement {
        let dataset_digest = Some(Digest::of(b"d"));
        let (job, lease) = ("job-1".parse().unwrap(), Duration::from_secs(60));
        Announcement { dataset: "d".into(), dataset_digest, job, rank: 3, lease, said }
    }

    fn order() -> AnnouncedOrder {
        let choice = Some(vec![7, 3, 99, 0]);
        let address = Address::new(u64::MAX, 5);
        AnnouncedOrder { address, shuffle: true, samples: 100, first: 40, choice, repeats: true, position: 4 }
    }

    #[test]
    fn an_announcement_survives_the_wire() {
        let whole = AnnouncedOrder { choice: None, position: 100, ..order() };
        let none = AnnouncedOrder { choice: Some(vec![]), position: 0, ..order() };
        let orders = [order(), whole, none].map(Said::Begins);
        let others = [Said::Unknown, Said::Reached(Address::new(1, 2), 3), Said::Ends];
        for said in orders.into_iter().chain(others) {
            let sent = announcement(said);
            assert_eq!(Announcement::try_from(proto::AnnounceRequest::from(sent.clone())).unwrap(), sent);
        }
        for outcome in [Outcome::Counts, Outcome::Unheard, Outcome::Full] {
            let answer = proto::AnnounceAnswer { outcome: proto::Announced::from(outcome).into() };
            assert_eq!(Outcome::try_from(answer).unwrap(), outcome);
        }
        assert!(Outcome::try_from(proto::AnnounceAnswer { outcome: 77 }).is_err());
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let good = proto::AnnounceRequest::from(announcement(Said::Unknown));
        let refused = |request: proto::AnnounceRequest| Announcement::try_from(request).unwrap_err().to_string();
        assert!(refused(proto::AnnounceRequest { job: "a b".into(), ..good.clone() }).contains("job name"));
        assert!(refused(proto::AnnounceRequest { statement: None, ..good.clone() }).contains("says nothing"));
        type Break = fn(&mut proto::EpochOrder);
        let breaks: [Break; 7] = [
            |order| order.first = 101,
            |order| order.position = 5,
            |order| order.is_chosen = false,
            |order| order.choice = vec![0; MAX_ANNOUNCED_CHOICE + 1],
            |order| order.choice = vec![100],
            |order| order.choice = vec![-1],
            |order| order.choice = vec![1, i64::MAX, i64::MAX],
        ];
        for (number, break_it) in breaks.into_iter().enumerate() {
            let mut order = proto::EpochOrder::from(order());
            break_it(&mut order);
            let begins = Some(proto::announce_request::Statement::Begins(order));
            let request = proto::AnnounceRequest { statement: begins, ..good.clone() };
            assert!(Announcement::try_from(request).is_err(), "{number}");
        }
    }
}
