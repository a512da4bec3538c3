//! Epochs over a range of resources: every simple mode's, and the plan's.

use headwater_plan::{Algorithm, Cores, PlanningError, Profile, Resource, Resources, compare, plan};
use headwater_types::{BitsPerSecond, Way};

use crate::chart::Series;

/// Bandwidths around the given one, or around a gigabit: a factor of two apart.
const BANDWIDTH_STEPS: std::ops::RangeInclusive<i32> = -6..=5;
const BANDWIDTHS: usize = (*BANDWIDTH_STEPS.end() - *BANDWIDTH_STEPS.start() + 1) as usize;
const BANDWIDTH_IF_NONE: f64 = 1e9;
/// Cores of each server.
const CORES: [f64; 9] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0];

/// Predicted epochs, by mode, at each place of an axis.
pub struct Sweep {
    pub(crate) places: Vec<f64>,
    pub(crate) series: Vec<Series>,
}

/// What the plan's epoch waits for, and how long it is; cores by bandwidths.
pub struct Regions {
    pub(crate) bandwidths: Vec<f64>,
    pub(crate) cores: Vec<f64>,
    pub(crate) cells: Vec<Vec<Option<(Resource, f64)>>>,
}

/// Plans at each point of the ranges.
pub struct Sweeper<'a> {
    /// What samples cost.
    pub profile: &'a Profile,
    /// What there is to use. Each point changes one or two of them.
    pub resources: &'a Resources,
    /// The ways that a plan may choose.
    pub allowed: &'a [Way],
    /// Is called after each point.
    pub planned: &'a dyn Fn(),
}

// === impl Sweeper ===

impl Sweeper<'_> {
    /// The points of all ranges together.
    pub const POINTS: u64 = (BANDWIDTHS + CORES.len() + BANDWIDTHS * CORES.len()) as u64;

    /// Epochs over the bandwidth of the trainer's network.
    ///
    /// # Errors
    /// [`PlanningError`]: nothing can be planned from this profile.
    pub fn bandwidths(&self) -> Result<Sweep, PlanningError> {
        self.sweep(&self.bandwidth_places(), |resources, bandwidth| resources.bandwidth = BitsPerSecond::new(bandwidth))
    }

    /// Epochs over the cores of each server.
    ///
    /// # Errors
    /// [`PlanningError`]: nothing can be planned from this profile.
    pub fn cores(&self) -> Result<Sweep, PlanningError> {
        self.sweep(&CORES, set_cores)
    }

    /// What an epoch waits for, over bandwidth and cores.
    ///
    /// # Errors
    /// [`PlanningError`]: nothing can be planned from this profile.
    pub fn regions(&self) -> Result<Regions, PlanningError> {
        let (bandwidths, cores) = (self.bandwidth_places(), CORES.to_vec());
        let mut cells = Vec::new();
        for &cores in &cores {
            let mut row = Vec::new();
            for &bandwidth in &bandwidths {
                let mut resources = self.resources.clone();
                resources.bandwidth = BitsPerSecond::new(bandwidth);
                set_cores(&mut resources, cores);
                let found = self.optimal(&resources)?;
                row.push(found.map(|prediction| (prediction.bottleneck, prediction.epoch)));
                (self.planned)();
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
            (self.planned)();
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
