//! Epochs over a range of resources: every simple mode's, and the plan's.

use headwater_cli::Progress;
use headwater_plan::{Algorithm, Cores, PlanningError, Profile, Resource, Resources, compare, plan};
use headwater_types::{BitsPerSecond, Way};

use super::chart::Series;

/// Bandwidths around the given one, or around a gigabit: a factor of two apart.
const BANDWIDTH_STEPS: std::ops::RangeInclusive<i32> = -6..=5;
const BANDWIDTH_IF_NONE: f64 = 1e9;
/// Cores of each server.
const CORES: [f64; 9] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0];

/// Predicted epochs, by mode, at each place of an axis.
pub(crate) struct Sweep {
    pub(crate) places: Vec<f64>,
    pub(crate) series: Vec<Series>,
}

/// What the plan's epoch waits for, and how long it is; cores by bandwidths.
pub(crate) struct Regions {
    pub(crate) bandwidths: Vec<f64>,
    pub(crate) cores: Vec<f64>,
    pub(crate) cells: Vec<Vec<Option<(Resource, f64)>>>,
}

/// Works through the ranges, with a bar.
pub(crate) struct Sweeper<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) resources: &'a Resources,
    pub(crate) allowed: &'a [Way],
    pub(crate) progress: &'a Progress,
}

// === impl Sweeper ===

impl Sweeper<'_> {
    pub(crate) fn bandwidths(&self) -> Result<Sweep, PlanningError> {
        self.sweep(&self.bandwidth_places(), |resources, bandwidth| resources.bandwidth = BitsPerSecond::new(bandwidth))
    }

    pub(crate) fn cores(&self) -> Result<Sweep, PlanningError> {
        self.sweep(&CORES, set_cores)
    }

    pub(crate) fn regions(&self) -> Result<Regions, PlanningError> {
        let (bandwidths, cores) = (self.bandwidth_places(), CORES.to_vec());
        let bar = self.progress.items("regions", Some((bandwidths.len() * cores.len()) as u64));
        let mut cells = Vec::new();
        for &cores in &cores {
            let mut row = Vec::new();
            for &bandwidth in &bandwidths {
                let mut resources = self.resources.clone();
                resources.bandwidth = BitsPerSecond::new(bandwidth);
                set_cores(&mut resources, cores);
                let found = self.optimal(&resources)?;
                row.push(found.map(|prediction| (prediction.bottleneck, prediction.epoch)));
                bar.add(1);
            }
            cells.push(row);
        }
        Ok(Regions { bandwidths, cores, cells })
    }

    fn bandwidth_places(&self) -> Vec<f64> {
        let middle = self.resources.bandwidth.map_or(BANDWIDTH_IF_NONE, BitsPerSecond::get);
        BANDWIDTH_STEPS.map(|step| middle * 2_f64.powi(step)).collect()
    }

    fn sweep(&self, places: &[f64], set: impl Fn(&mut Resources, f64)) -> Result<Sweep, PlanningError> {
        let bar = self.progress.items("epochs", Some(places.len() as u64));
        let mut series: Vec<Series> = Vec::new();
        for &place in places {
            let mut resources = self.resources.clone();
            set(&mut resources, place);
            let modes = compare(self.profile, &resources, self.allowed)?;
            let simple = modes
                .iter()
                .map(|mode| (mode.algorithm.to_string(), mode.outcome.as_ref().map(|outcome| outcome.seconds.epoch)));
            let best = self.optimal(&resources)?.map(|prediction| prediction.epoch);
            for (number, (name, epoch)) in simple.chain([(Algorithm::Optimal.to_string(), best)]).enumerate() {
                if series.len() <= number {
                    let chosen = name == Algorithm::Optimal.to_string();
                    series.push(Series { name, values: Vec::new(), chosen });
                }
                series[number].values.push(epoch);
            }
            bar.add(1);
        }
        Ok(Sweep { places: places.to_vec(), series })
    }

    /// `None` where there is no way for some sample.
    fn optimal(&self, resources: &Resources) -> Result<Option<headwater_plan::Prediction>, PlanningError> {
        match plan(self.profile, resources, self.allowed, Algorithm::Optimal) {
            Ok(plan) => Ok(Some(plan.prediction)),
            Err(PlanningError::NoWay { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn set_cores(resources: &mut Resources, cores: f64) {
    let cores = Cores::new(cores).unwrap_or(Cores::ZERO);
    resources.servers.iter_mut().for_each(|server| server.cores = cores);
}
