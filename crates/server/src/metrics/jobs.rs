//! What a person can see of the training jobs: what they announce, and the losses that they report.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::families::Families;
use crate::datasets::Datasets;
use crate::generation::Generation;
use crate::jobs::OUTCOMES;

/// The jobs that read a server's samples.
#[derive(Debug)]
pub(super) struct JobMetrics(pub(super) Arc<Datasets>);

impl Collector for JobMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let current = self.0.iter().filter_map(|served| Some((served.name.to_string(), served.current()?)));
        let current: Vec<(String, Arc<Generation>)> = current.collect();
        current.iter().for_each(|(_, now)| now.jobs.expire());
        let mut families = Families(encoder);
        jobs(&mut families, &current)?;
        losses(&mut families, &current)
    }
}

fn jobs(families: &mut Families<'_>, current: &[(String, Arc<Generation>)]) -> Result<(), fmt::Error> {
    let help = "Training jobs that read the current generation, by whether their order is known: a job that only \
                reports losses has none";
    let counts = current.iter().flat_map(|(name, now)| {
        let (all, known, unknown) = now.jobs.count();
        let each = [("known", known), ("unknown", unknown), ("none", all.saturating_sub(known + unknown))];
        each.map(|(order, count)| ([("dataset", name.clone()), ("order", order.to_owned())], count as f64))
    });
    families.gauges("jobs", help, None, counts)?;
    let help = "Announcements of what jobs read next, by what came of them: counts, unheard (a pass whose beginning \
                the server has not heard: the job says it again), full (the server keeps no more jobs)";
    let counts = current.iter().flat_map(|(name, now)| {
        let each = OUTCOMES.iter().zip(now.jobs.announcements());
        each.map(move |((_, outcome), count)| ([("dataset", name.clone()), ("outcome", (*outcome).to_owned())], count))
    });
    families.counters("announcements", help, counts)?;
    let lapsed = current.iter().map(|(name, now)| ([("dataset", name.clone())], now.jobs.lapsed()));
    families.counters("jobs_lapsed", "Jobs that said nothing for their lease", lapsed)
}

fn losses(families: &mut Families<'_>, current: &[(String, Arc<Generation>)]) -> Result<(), fmt::Error> {
    let of = |name: &String| [("dataset", name.clone())];
    let reported = current.iter().map(|(name, now)| (of(name), now.jobs.reports()));
    families.counters("losses_reported", "Losses of samples that trainers have reported", reported)?;
    let losses: Vec<_> = current.iter().map(|(name, now)| (of(name), now.jobs.losses())).collect();
    let known = losses.iter().map(|(name, (known, _))| (name.clone(), *known as f64));
    families.gauges("loss_samples", "Samples of which a loss is known", None, known)?;
    let mean = losses.iter().map(|(name, (_, mean))| (name.clone(), *mean));
    families.gauges("loss_mean", "Mean of the samples' latest losses, over all jobs", None, mean)
}
