//! Samples asked of the server that is their home.
//!
//! ```text
//! bounds ─▶ a call of the home's, a place underway, memory for all ─▶ Fetch, as forwarded ─▶ checked: each its memory
//! ```
//!
//! A sample is a function of the request, so it has the same bits from its home as it would have here. What comes is
//! checked as any client checks it: checksum, index, way and length. A sample that does not come for whatever reason is
//! left to the caller, which prepares it here and keeps nothing. Dropping the future ends the call at the home too.

use std::time::Duration;

use headwater_image::Parts;
use headwater_pipeline::{Call, Finished, Permit, Prepared, SampleRequest, StageTimes, Waits};
use headwater_types::caps::{BATCH_BYTES, MAX_MESSAGE, MESSAGE_ENVELOPE};
use headwater_types::{ByteCount, Cut, FailureKind, Seed, Way};
use headwater_wire::proto::{self, FetchRequest};
use headwater_wire::{Choice, Delivered, Delivery, Fetch, Samples};
use tokio::time::{Instant, timeout};
use tonic::{Code, Request, Status};

use crate::homes::{Came, Neighbour};
use crate::offer::Offer;

/// How long a home may say nothing: while it waits for memory or for the store it says so every two seconds.
const SILENCE: Duration = Duration::from_secs(6);
/// How long a call may take in all, from a home that speaks.
const MOST: Duration = Duration::from_secs(30);
/// How long a home is asked for nothing that could not be reached, or refused.
const SHORT_REST: Duration = Duration::from_secs(1);
/// How long a home is asked for nothing that was slow, or said what cannot be.
const LONG_REST: Duration = Duration::from_secs(10);

/// Samples on their way from their home.
struct Hop<'a> {
    offer: &'a Offer,
    requests: &'a [SampleRequest],
    /// Most bytes of each.
    bounds: Vec<ByteCount>,
    permit: Permit,
    began: Instant,
    /// What came, in step with the requests.
    came: Vec<Option<Prepared>>,
    /// Samples that the home could not give.
    failed: usize,
}

/// Asks a home for samples. `None` for those that it has not given, in step with the requests.
pub(crate) async fn forward(
    offer: &Offer,
    home: &Neighbour,
    requests: &[SampleRequest],
    call: &Call,
) -> Vec<Option<Prepared>> {
    let nothing = || requests.iter().map(|_| None).collect();
    let Some(share) = &offer.house.share else { return nothing() };
    let Some(bounds) = bounds(offer, requests).await else {
        share.counts.add(Came::Failed, requests.len());
        return nothing();
    };
    let _call = home.call().await;
    let total = ByteCount::new(bounds.iter().map(|bound| bound.get()).sum());
    let _underway = share.underway(total).await;
    let Ok(permit) = call.job.decoded(total).await else {
        share.counts.add(Came::Failed, requests.len());
        return nothing();
    };
    let mut asked = Request::new(request(offer, requests, &bounds, call));
    let mut span = offer.trace.hop(&home.name.to_string(), requests.len());
    span.enter(asked.metadata_mut());
    let (began, came) = (Instant::now(), nothing());
    let mut hop = Hop { offer, requests, bounds, permit, began, came, failed: 0 };
    let waiting = call.job.account().begin(Waits::Store);
    let read = hop.read(home, asked, message(total));
    let ended = timeout(MOST, read).await.unwrap_or(Err((Came::Slow, format!("not done in {MOST:?}"))));
    drop(waiting);
    let given = hop.came.iter().flatten().count();
    span.set("headwater.samples.given", given);
    share.counts.add(Came::Given, given);
    share.counts.add(Came::Failed, hop.failed);
    if let Err((why, words)) = ended {
        share.counts.add(why, requests.len() - given - hop.failed);
        span.fail(words.clone());
        tracing::debug!(peer = %home.name, why = why.as_str(), words, "samples do not come from their home");
        home.rest(rest(why));
    }
    hop.came
}

/// Most bytes of each sample; `None` where one of them cannot be told.
async fn bounds(offer: &Offer, requests: &[SampleRequest]) -> Option<Vec<ByteCount>> {
    let mut bounds = Vec::with_capacity(requests.len());
    for request in requests {
        bounds.push(offer.generation.pipeline.bound(request).await.ok()?);
    }
    Some(bounds)
}

/// The longest message in which so many bytes of samples come.
fn message(total: ByteCount) -> ByteCount {
    ByteCount::new(total.get().saturating_add(MESSAGE_ENVELOPE.get())).min(MAX_MESSAGE)
}

/// How long a home rests after this.
fn rest(why: Came) -> Duration {
    match why {
        Came::Slow | Came::Broken => LONG_REST,
        Came::Given | Came::Failed | Came::Busy | Came::Unreachable | Came::Refused | Came::Resting => SHORT_REST,
    }
}

/// What the home is asked. All samples of a call have one seed, and one recipe and model where they have any.
fn request(offer: &Offer, requests: &[SampleRequest], bounds: &[ByteCount], call: &Call) -> FetchRequest {
    let recipe = requests.iter().find_map(|request| request.wanted.recipe());
    let model = requests.iter().find_map(|request| request.wanted.model());
    let longest = bounds.iter().copied().max().unwrap_or_default();
    let fetch = Fetch {
        dataset: offer.served.name.to_string(),
        dataset_digest: Some(offer.generation.digest()),
        samples: Samples::List(requests.iter().map(|request| request.index.0).collect()),
        recipe: recipe.map(|recipe| (**recipe).clone()),
        ways: Choice::Each(requests.iter().map(|request| request.wanted.way()).collect()),
        floats_as_pixels: false,
        seed: requests.first().map_or(Seed::default(), |request| request.address.seed),
        epochs: Choice::Each(requests.iter().map(|request| request.address.epoch).collect()),
        model: model.map(|model| (model.name().clone(), Some(model.digest()))),
        cut: model.and_then(|model| model.cut().cloned()),
        batch_bytes: BATCH_BYTES,
        measure_cpu: call.measure_cpu,
        max_payload: longest.min(call.max_payload),
        allow_non_finite: call.allow_non_finite,
        fields: Vec::new(),
        job: offer.job.clone(),
        priority: call.job.account().priority(),
        forwarded: true,
    };
    fetch.into()
}

// === impl Hop ===

impl Hop<'_> {
    /// Takes samples as they come, until there are no more.
    async fn read(
        &mut self,
        home: &Neighbour,
        asked: Request<FetchRequest>,
        most: ByteCount,
    ) -> Result<(), (Came, String)> {
        let slow = |_| (Came::Slow, format!("nothing came in {SILENCE:?}"));
        let mut client = home.samples(most);
        let response = timeout(SILENCE, client.fetch(asked)).await.map_err(slow)?;
        let mut messages = response.map_err(|status| judge(&status))?.into_inner();
        while let Some(batch) = timeout(SILENCE, messages.message()).await.map_err(slow)?.map_err(|s| judge(&s))? {
            for sample in batch.samples {
                self.take(sample)?;
            }
        }
        match self.came.iter().flatten().count() + self.failed == self.requests.len() {
            true => Ok(()),
            false => Err((Came::Broken, "its stream ended before all samples had come".to_owned())),
        }
    }

    fn take(&mut self, sample: proto::Sample) -> Result<(), (Came, String)> {
        let broken = |words: &str| (Came::Broken, words.to_owned());
        let delivery = Delivery::try_from(sample).map_err(|invalid| (Came::Broken, invalid.to_string()))?;
        let place = delivery.position.map_or(usize::MAX, |position| position as usize);
        let request = self.requests.get(place).filter(|request| request.index == delivery.index);
        let request = request.ok_or_else(|| broken("it gave a sample that was not asked for"))?;
        if self.came[place].is_some() {
            return Err(broken("it gave a sample twice"));
        }
        let outcome = match delivery.outcome {
            Ok(delivered) if !is_wanted(delivered.way, request.wanted.way()) => {
                return Err(broken("it gave a sample as nobody asked for it"));
            }
            Ok(delivered) if delivered.payload.len() as u64 <= self.bounds[place].get() => Ok(self.finished(delivered)),
            // Its bytes are at fault, wherever they are read.
            Err(failure) if is_of_the_photo(failure.kind) => Err(failure),
            // Longer than the memory that was granted for it, or of a kind that may be the home's own trouble.
            Ok(_) | Err(_) => {
                self.failed += 1;
                return Ok(());
            }
        };
        let catalog = self.offer.generation.catalog();
        let times = StageTimes { fetch: self.began.elapsed(), cpu: delivery.cpu, ..StageTimes::default() };
        self.came[place] = Some(Prepared {
            index: delivery.index,
            key: catalog.key(delivery.index),
            label: catalog.get(delivery.index).and_then(|entry| entry.label),
            stored: ByteCount::default(),
            times,
            marks: Vec::new(),
            outcome,
        });
        Ok(())
    }

    fn finished(&mut self, delivered: Delivered) -> Finished {
        let Delivered { way, dtype, shape, payload: bytes, source, origin } = delivered;
        let permit = self.permit.split(bytes.len().into());
        Finished { parts: Parts { way, dtype, shape, source, origin, bytes }, permit }
    }
}

/// Whether a sample came as it was asked for: a photo that cannot be cropped comes as it is stored, and pixels that
/// coding does not make smaller come uncoded.
fn is_wanted(came: Way, wanted: Way) -> bool {
    came.cut() == wanted.cut() || (wanted.cut() == Cut::JpegCrop && came == Way::ENCODED)
}

fn is_of_the_photo(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Malformed | FailureKind::UnsupportedFormat | FailureKind::NotFinite)
}

/// What a status says of the home.
fn judge(status: &Status) -> (Came, String) {
    let is_its_own = status.metadata().contains_key(headwater_wire::status::REFUSAL);
    let why = match status.code() {
        Code::ResourceExhausted => Came::Busy,
        Code::DeadlineExceeded => Came::Slow,
        Code::OutOfRange => Came::Broken,
        _ if is_its_own => Came::Refused,
        _ => Came::Unreachable,
    };
    (why, status.message().to_owned())
}

#[cfg(test)]
mod tests {
    use headwater_types::PixelCoding;
    use headwater_wire::status::Refusal;

    use super::*;

    #[test]
    fn a_sample_comes_as_it_was_asked_for_or_as_its_way_allows() {
        let coded = Way::new(Cut::Cropped, PixelCoding::Lossless).unwrap();
        assert!(is_wanted(Way::raw(Cut::Cropped), coded), "coding did not make it smaller");
        assert!(is_wanted(Way::ENCODED, Way::raw(Cut::JpegCrop)), "it cannot be cropped");
        assert!(!is_wanted(Way::ENCODED, Way::raw(Cut::Cropped)));
        assert!(!is_wanted(Way::raw(Cut::Flipped), Way::raw(Cut::Cropped)));
    }

    #[test]
    fn what_ends_a_call_says_how_long_its_home_rests() {
        let judged = |status: Status| judge(&status).0;
        assert_eq!(judged(Refusal::Busy { limit: 1 }.into()), Came::Busy);
        assert_eq!(judged(Refusal::Stopping.into()), Came::Refused);
        assert_eq!(judged(Refusal::Changed { what: "dataset" }.into()), Came::Refused);
        assert_eq!(judged(Status::unavailable("tcp connect error")), Came::Unreachable);
        assert_eq!(judged(Status::deadline_exceeded("late")), Came::Slow);
        assert!(rest(Came::Slow) > rest(Came::Unreachable) && rest(Came::Broken) > rest(Came::Busy));
    }

    #[test]
    fn only_what_is_wrong_with_the_bytes_is_taken_from_a_home() {
        for (kind, is) in [
            (FailureKind::Malformed, true),
            (FailureKind::UnsupportedFormat, true),
            (FailureKind::NotFinite, true),
            (FailureKind::LimitExceeded, false),
            (FailureKind::Changed, false),
            (FailureKind::Unavailable, false),
            (FailureKind::Checksum, false),
        ] {
            assert_eq!(is_of_the_photo(kind), is, "{kind}");
        }
    }
}
