//! What follows the photos that were taken in: the dataset is listed anew, and they are labelled.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_wire::labels::Relabel;
use headwater_wire::status::Refusal;
use tokio::time::sleep;

use super::intake::Intake;
use super::labellers::labellers;
use crate::generation::Generation;
use crate::house::House;
use crate::labelling::LabellingJobs;
use crate::reload::Reloader;

/// How long further photos are waited for, so that those that come together are listed together.
const GATHER: Duration = Duration::from_millis(500);
/// Of the time, at most one part in so many goes into listing.
const LISTING_SHARE: u32 = 5;
/// How often it is looked whether the dataset is there.
const LOOK: Duration = Duration::from_millis(200);

/// Lists a dataset anew whenever photos have come, and has them labelled. Never ends.
pub(crate) async fn follow(
    intake: Arc<Intake>,
    house: Arc<House>,
    (reloader, jobs): (Arc<Reloader>, Arc<LabellingJobs>),
) {
    let first = loop {
        match intake.served.current() {
            Some(generation) => break generation,
            None => sleep(LOOK).await,
        }
    };
    if let Err(refusal) = intake.deposit(&first).await {
        tracing::error!(dataset = %intake.served.name, %refusal, "no photos are taken in");
    }
    // What an earlier start took in and had not labelled yet.
    label(&intake, &house, (&first, &jobs)).await;
    drop(first);
    loop {
        intake.arrived.notified().await;
        sleep(GATHER).await;
        let began = Instant::now();
        reloader.reload_of(&intake.served.name).await;
        let took = began.elapsed();
        if let Some(generation) = intake.served.current() {
            intake.arrivals.forget_listed(generation.catalog());
            label(&intake, &house, (&generation, &jobs)).await;
        }
        sleep(took * (LISTING_SHARE - 1)).await;
    }
}

/// Begins the labelling of what is not labelled. One that is under way goes on by itself to what is new.
async fn label(intake: &Arc<Intake>, house: &Arc<House>, (generation, jobs): (&Arc<Generation>, &Arc<LabellingJobs>)) {
    if house.shelf.is_none() {
        return;
    }
    let (intake, house, generation, jobs) =
        (Arc::clone(intake), Arc::clone(house), Arc::clone(generation), Arc::clone(jobs));
    let begin = move || {
        for (labeller, top_k) in labellers(&house, &generation, &intake.spec)? {
            let plain = Relabel::new(intake.served.name.clone(), labeller.name().clone());
            let request = Relabel { top_k: top_k.unwrap_or(plain.top_k), ..plain };
            match jobs.begin(&house, &generation, request) {
                Ok(_) => {}
                Err(refusal) => {
                    let (dataset, model) = (&intake.served.name, labeller.name());
                    tracing::warn!(%dataset, %model, %refusal, "photos that have come are not labelled");
                }
            }
        }
        Ok::<_, Refusal>(())
    };
    match tokio::task::spawn_blocking(begin).await {
        Ok(Ok(())) => {}
        Ok(Err(refusal)) => tracing::warn!(%refusal, "photos that have come are not labelled"),
        Err(error) => tracing::warn!(%error, "photos that have come are not labelled"),
    }
}
