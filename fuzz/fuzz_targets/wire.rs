//! Messages of any bytes, as a server and as a client read them: no panic, and what is taken is within the protocol's
//! rules.
#![no_main]

use bytes::Bytes;
use headwater_types::PixelCoding;
use headwater_types::caps::{MAX_LOSSES_PER_CALL, MAX_MODEL_PIECE, MAX_SAMPLES_PER_CALL};
use headwater_wire::announce::Announcement;
use headwater_wire::cached::CachedQuery;
use headwater_wire::low::LowQuery;
use headwater_wire::models::{PushOffer, PushPiece};
use headwater_wire::replaced::ReplacedReport;
use headwater_wire::report::LossReport;
use headwater_wire::{Delivery, Fetch, Introduction, List, Listed, Survey, Surveyed, proto};
use libfuzzer_sys::fuzz_target;
use prost::Message;

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(request) = proto::FetchRequest::decode(bytes.clone())
        && let Ok(fetch) = Fetch::try_from(request)
    {
        assert!(fetch.samples.len() <= MAX_SAMPLES_PER_CALL);
        assert_eq!(fetch.iter().count(), fetch.samples.len());
        assert_eq!(Fetch::try_from(proto::FetchRequest::from(fetch.clone())).ok(), Some(fetch));
    }
    if let Ok(request) = proto::SurveyRequest::decode(bytes.clone())
        && let Ok(survey) = Survey::try_from(request)
    {
        assert!(survey.samples.len() <= MAX_SAMPLES_PER_CALL);
    }
    if let Ok(request) = proto::ListRequest::decode(bytes.clone())
        && let Ok(list) = List::try_from(request)
    {
        assert!(list.samples.len() <= MAX_SAMPLES_PER_CALL);
    }
    if let Ok(request) = proto::LowRequest::decode(bytes.clone())
        && let Ok(query) = LowQuery::try_from(request)
    {
        assert!(query.share > 0.0 && query.share <= 0.5);
    }
    if let Ok(request) = proto::ReplacedRequest::decode(bytes.clone()) {
        let samples = request.indices.len();
        assert!(ReplacedReport::try_from(request).map_or(true, |report| report.samples.len() == samples));
    }
    if let Ok(said) = proto::Introduction::decode(bytes.clone())
        && let Ok(known) = Introduction::try_from(said)
    {
        assert!(Introduction::try_from(proto::Introduction::from(known.clone())).is_ok_and(|again| again == known));
    }
    if let Ok(batch) = proto::ListBatch::decode(bytes.clone()) {
        let keys = batch.keys.len();
        assert!(Listed::read(batch).map_or(true, |(_, samples)| samples.len() == keys));
    }
    if let Ok(batch) = proto::SurveyBatch::decode(bytes.clone()) {
        for sample in batch.samples {
            if let Ok(Surveyed { outcome: Ok(facts), .. }) = Surveyed::try_from(sample) {
                assert!(facts.size.pixels() > 0 && (1..=8).contains(&facts.orientation));
            }
        }
    }
    if let Ok(request) = proto::ReportRequest::decode(bytes.clone())
        && let Ok(report) = LossReport::try_from(request)
    {
        assert!(report.losses.len() <= MAX_LOSSES_PER_CALL);
        assert_eq!(LossReport::try_from(proto::ReportRequest::from(report.clone())).ok(), Some(report));
    }
    if let Ok(request) = proto::AnnounceRequest::decode(bytes.clone())
        && let Ok(said) = Announcement::try_from(request)
    {
        assert_eq!(Announcement::try_from(proto::AnnounceRequest::from(said.clone())).ok(), Some(said));
    }
    if let Ok(request) = proto::CachedRequest::decode(bytes.clone())
        && let Ok(query) = CachedQuery::try_from(request)
    {
        assert!(query.samples.len() <= MAX_SAMPLES_PER_CALL);
    }
    if let Ok(request) = proto::BeginPushRequest::decode(bytes.clone())
        && let Ok(offer) = PushOffer::try_from(request)
    {
        assert_eq!(PushOffer::try_from(proto::BeginPushRequest::from(offer.clone())).ok(), Some(offer));
    }
    if let Ok(request) = proto::PushPieceRequest::decode(bytes.clone())
        && let Ok(piece) = PushPiece::try_from(request)
    {
        assert!(!piece.piece.is_empty() && piece.piece.len() <= MAX_MODEL_PIECE);
    }
    if let Ok(batch) = proto::FetchBatch::decode(bytes) {
        for sample in batch.samples {
            if let Ok(Delivery { outcome: Ok(delivered), .. }) = Delivery::try_from(sample) {
                let elements = delivered.shape.elements().unwrap_or(usize::MAX);
                let (raw, length) = (elements * delivered.dtype.size(), delivered.payload.len());
                assert!(if delivered.way.pixels() == PixelCoding::Raw { length == raw } else { length < raw });
            }
        }
    }
});
