//! `Fetch`: samples, each taken as far as the request says.

use std::sync::Arc;

use headwater_pipeline::{Call, SampleRequest, Wanted};
use headwater_spans::{Kind, SpanContext};
use headwater_types::Digest;
use headwater_wire::proto::FetchRequest;
use headwater_wire::status::{Invalid, Refusal};
use headwater_wire::{Asked, Fetch};
use tonic::{Request, Status};

use crate::body::Body;
use crate::driver;
use crate::fields::AskedFields;
use crate::house::House;
use crate::offer::Offer;
use crate::routes::Handing;
use crate::traces::{CallTrace, FETCH};

use super::desk::{Admitted, Desk, OfDataset};

pub(super) async fn fetch(desk: &Desk, request: Request<FetchRequest>) -> Result<Body, Status> {
    let caller = SpanContext::of_caller(request.metadata());
    let mut span = desk.tracer.begin(FETCH, Kind::Server, caller.as_ref());
    match desk.admit::<_, Fetch>(request) {
        Ok(admitted) => {
            let trace = CallTrace::new(span, &admitted.request, &admitted.peer);
            let begun = begin(desk, admitted, trace.clone()).await;
            begun.inspect_err(|status| trace.cut_off(status.message()))
        }
        Err(status) => {
            span.fail(status.message());
            Err(status)
        }
    }
}

/// Begins the work of a call that was let in.
async fn begin(
    desk: &Desk,
    Admitted { offer, request: fetch, peer }: Admitted<Fetch>,
    trace: CallTrace,
) -> Result<Body, Status> {
    let requests = sample_requests(&offer.house, &fetch).await.map_err(|refusal| desk.refuse(refusal))?;
    let fields = AskedFields::new(&offer.generation.pipeline.catalog, &fetch.fields);
    let fields = fields.map_err(|invalid| desk.refuse(invalid))?;
    let place = offer.house.place().map_err(|refusal| desk.refuse(refusal))?;
    tracing::debug!(?peer, samples = requests.len(), seed = fetch.seed.0, "fetch");
    let handing = handing(&offer.house, &fetch);
    let Fetch { batch_bytes, measure_cpu, max_payload, allow_non_finite, job, priority, .. } = fetch;
    let drawn = offer.house.job(&peer, (priority, job.as_ref()));
    let traced = trace.is_recorded();
    let offer = Arc::new(Offer { job, trace, ..(*offer).clone() });
    let call = Call { job: drawn, measure_cpu, max_payload, allow_non_finite, keep: true, traced };
    Ok(driver::start(offer, requests, (call, handing), (batch_bytes, fields), (peer, place)))
}

/// Whether samples of the call may be asked of their homes. A call that another server hands on goes no further.
fn handing(house: &House, fetch: &Fetch) -> Handing {
    let Some(share) = &house.share else { return Handing::Never };
    if fetch.forwarded {
        share.counts.answer(fetch.samples.len());
        return Handing::Never;
    }
    Handing::On
}

/// What is to become of each sample. Recipe and model are found here, once for the call.
async fn sample_requests(house: &Arc<House>, fetch: &Fetch) -> Result<Vec<SampleRequest>, Refusal> {
    if house.resources.workers() == 0
        && let Some(Asked { way, .. }) = fetch.iter().find(|asked| asked.way.is_offloaded())
    {
        return Err(Refusal::NoCpuWorkers { cut: way.cut() });
    }
    let model = match (&fetch.model, &fetch.cut) {
        (None, _) => None,
        (Some((name, digest)), None) => Some(house.model(name, *digest)?),
        (Some((name, digest)), Some(cut)) => Some(house.front(name, cut, *digest).await?),
    };
    let recipe = fetch.recipe.clone().map(Arc::new);
    let request = |Asked { index, way, address, position: _ }| {
        let wanted = Wanted::new(way, recipe.as_ref(), model.as_ref());
        let wanted = wanted.map_err(|error| Invalid::new(error.to_string()))?;
        Ok(SampleRequest { index, address, wanted })
    };
    fetch.iter().map(request).collect()
}

// === impl Fetch ===

impl OfDataset for Fetch {
    fn dataset(&self) -> &str {
        &self.dataset
    }

    fn dataset_digest(&self) -> Option<Digest> {
        self.dataset_digest
    }
}
