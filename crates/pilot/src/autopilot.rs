//! A plan that follows what is seen: watches the epoch, plans what is left anew where it leaves the prediction.
//!
//! Only how samples travel changes. Which there are, and their tensors, are the recipe's, the seed's and the epoch's.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::LivePlan;
use headwater_plan::{
    Algorithm, Cost, Plan, Prediction, Profile, ProfileBuilder, Resources, SampleFacts, Server, Way, plan,
};
use headwater_types::{BitsPerSecond, CpuSeconds, Cut, PixelCoding, SampleIndex};

use crate::error::PilotError;
use crate::watch::{Belief, Reading, Seen, Watch, WatchOptions, Work};

/// How an epoch is piloted.
#[derive(Clone, Debug, Default)]
pub struct AutopilotOptions {
    /// The ways that may be taken; all of the profile's where it is empty.
    pub allowed: Vec<Way>,
    /// Who decides.
    pub algorithm: Algorithm,
    /// When to plan anew.
    pub watch: WatchOptions,
    /// Whether samples come again and again, in whichever order: then none of them is ever past planning.
    pub repeats: bool,
}

/// Pilots epochs, one after the other.
#[derive(Debug)]
pub struct Autopilot {
    profile: Arc<Profile>,
    options: AutopilotOptions,
    /// As they are believed to be.
    resources: Resources,
    /// By how much the profile's CPU seconds are off: for each server, and for finishing.
    storage_scale: Vec<f64>,
    trainer_scale: f64,
    /// Whether that was ever news.
    learnt: bool,
    prediction: Option<Prediction>,
    choices: Vec<Way>,
    /// How many times each sample is still to come.
    left: Vec<u32>,
    watch: Watch,
    reading: Reading,
    live: LivePlan,
}

/// What running epochs have taught.
#[derive(Clone, Debug, PartialEq)]
pub struct Learnt {
    /// What arrives at most; `None`: more than matters.
    pub bandwidth: Option<BitsPerSecond>,
    /// For each server the factor by which the profile's CPU seconds are off.
    pub storage: Vec<f64>,
    /// The same for finishing.
    pub trainer: f64,
}

/// What is left of an epoch, to be planned: that may take a second, and belongs on a thread that may.
#[derive(Debug)]
pub struct Replanning {
    profile: Arc<Profile>,
    options: AutopilotOptions,
    resources: Resources,
    storage_scale: Vec<f64>,
    trainer_scale: f64,
    /// In order; a sample that is to come twice is there twice.
    left: Vec<usize>,
    seen: Seen,
}

/// What is left of an epoch, planned anew.
#[derive(Clone, Debug)]
pub struct Replanned {
    /// What was seen that was not predicted.
    pub seen: Seen,
    /// What is believed now.
    pub resources: Resources,
    /// What is promised for the samples that are left.
    pub prediction: Prediction,
    /// How many those are.
    pub left: usize,
    /// Those of them that travel another way now. Filled in by [`Autopilot::adopt`].
    pub moved: usize,
    storage_scale: Vec<f64>,
    trainer_scale: f64,
    ways: Vec<(usize, Way)>,
}

/// By how much CPU seconds may be believed to be off: further apart are no machines.
const SCALES: [f64; 2] = [1e-3, 1e3];
/// What a profile takes for one sample.
const MOST_SECONDS: f64 = 3600.0;

// === impl Autopilot ===

impl Autopilot {
    /// Plans an epoch over these samples.
    ///
    /// # Errors
    /// Where there is no plan for these resources.
    pub fn new(
        profile: Arc<Profile>,
        resources: Resources,
        options: AutopilotOptions,
        samples: &[SampleIndex],
    ) -> Result<Self, PilotError> {
        let mut pilot = Self::idle(profile, resources, options)?;
        if let Some(planning) = pilot.begin(samples) {
            pilot.adopt(planning.plan()?)?;
        }
        Ok(pilot)
    }

    /// A pilot of no epoch yet: samples travel as they are stored until one [begins](Self::begin), or a plan is
    /// [followed](Self::follow).
    ///
    /// # Errors
    /// A fault of this program.
    pub fn idle(profile: Arc<Profile>, resources: Resources, options: AutopilotOptions) -> Result<Self, PilotError> {
        let choices = vec![Way::ENCODED; profile.len()];
        let (cuts, pixels) = tables(&choices);
        let servers = profile.servers().len();
        Ok(Self {
            live: match profile.provenance().model {
                Some(_) => LivePlan::with_features(cuts, pixels)?,
                None => LivePlan::new(cuts, pixels)?,
            },
            watch: Watch::new(options.watch),
            reading: Reading { storage: vec![Work::default(); servers], ..Reading::default() },
            storage_scale: vec![1.0; servers],
            trainer_scale: 1.0,
            learnt: false,
            prediction: None,
            left: vec![0; profile.len()],
            profile,
            options,
            resources,
            choices,
        })
    }

    /// Begins an epoch over these samples: gives what is to be planned, with what was learnt until now; nothing where there are no
    /// samples.
    pub fn begin(&mut self, samples: &[SampleIndex]) -> Option<Replanning> {
        self.expect(samples);
        let (storage_scale, trainer_scale) = (self.storage_scale.clone(), self.trainer_scale);
        self.replanning(Seen::default(), self.resources.clone(), storage_scale, trainer_scale)
    }

    /// Begins an epoch over these samples by a plan that is there already.
    ///
    /// # Errors
    /// A plan of another dataset.
    pub fn follow(&mut self, plan: &Plan, samples: &[SampleIndex]) -> Result<(), PilotError> {
        let (planned, served) = (plan.len(), self.choices.len());
        if planned != served {
            return Err(PilotError::PlannedSamples { planned, served: served as u64 });
        }
        self.expect(samples);
        self.choices = plan.iter().collect();
        self.prediction = Some(plan.prediction.clone());
        let (cuts, pixels) = tables(&self.choices);
        Ok(self.live.set(cuts, pixels)?)
    }

    fn expect(&mut self, samples: &[SampleIndex]) {
        self.left.fill(0);
        for index in samples {
            if let Some(left) = usize::try_from(index.0).ok().and_then(|place| self.left.get_mut(place)) {
                *left = left.saturating_add(1);
            }
        }
        self.watch.restart();
    }

    /// What was learnt until now; `None` where nothing was news.
    pub fn learnt(&self) -> Option<Learnt> {
        self.learnt.then(|| Learnt {
            bandwidth: self.resources.bandwidth,
            storage: self.storage_scale.clone(),
            trainer: self.trainer_scale,
        })
    }

    /// Believes what another has learnt with this profile. What is not of its servers, or out of bounds, is left alone.
    pub fn believe(&mut self, learnt: &Learnt) {
        let sound = |scale: &f64| (SCALES[0]..=SCALES[1]).contains(scale);
        if learnt.storage.len() == self.storage_scale.len() && learnt.storage.iter().chain([&learnt.trainer]).all(sound)
        {
            self.resources.bandwidth = learnt.bandwidth;
            self.storage_scale.clone_from(&learnt.storage);
            self.trainer_scale = learnt.trainer;
            self.learnt = true;
        }
    }

    /// What a request takes for its cuts and codings.
    pub fn live(&self) -> &LivePlan {
        &self.live
    }

    /// What the latest plan promises for what was left when it was made; `None` before the first.
    pub fn prediction(&self) -> Option<&Prediction> {
        self.prediction.as_ref()
    }

    /// A sample has come, at this cut, and was finished; with what it took on both sides.
    pub fn came(&mut self, index: SampleIndex, cut: Option<Cut>, storage: CpuSeconds, trainer: CpuSeconds) {
        let Ok(place) = usize::try_from(index.0) else { return };
        let Some(left) = self.left.get_mut(place) else { return };
        if !self.options.repeats {
            *left = left.saturating_sub(1);
        }
        self.reading.trainer.measured += trainer.0;
        let Some(server) = self.profile.server_of(place) else { return };
        self.reading.storage[server].measured += storage.0;
        // By the way that it came, which may be that of the plan before.
        let planned = self.choices[place];
        let way = match cut {
            Some(cut) if cut != planned.cut() => Way::new(cut, PixelCoding::Raw).unwrap_or(planned),
            _ => planned,
        };
        let cost = self.profile.position(way).and_then(|position| self.profile.cost(place, position));
        let cost = cost.unwrap_or_default();
        self.reading.storage[server].predicted += cost.storage_seconds * self.storage_scale[server];
        self.reading.trainer.predicted += cost.trainer_seconds * self.trainer_scale;
    }

    /// Nobody has looked for a while, and what was read before says nothing of now.
    pub fn resume(&mut self) {
        self.watch.restart();
    }

    /// Looks at what was received and done until now, which is so long after the beginning; `receiving`: the part of that time in
    /// which somebody waited for bytes. Gives what is to be planned anew, if anything is.
    pub fn look(&mut self, at: Duration, received: u64, receiving: Duration) -> Option<Replanning> {
        self.reading.at = at;
        self.reading.bytes = received as f64;
        self.reading.receiving = receiving.as_secs_f64();
        let belief = Belief {
            bandwidth: self.resources.bandwidth.map(BitsPerSecond::get),
            storage_cores: self.resources.servers.iter().map(|server| server.cores.get()).collect(),
            trainer_cores: self.resources.trainer_cores.map_or(f64::INFINITY, |cores| cores.get()),
        };
        let seen = self.watch.look(self.reading.clone(), &belief)?;
        self.watch.restart();
        let mut resources = self.resources.clone();
        if let Some(bandwidth) = seen.bandwidth.and_then(BitsPerSecond::new) {
            resources.bandwidth = Some(bandwidth);
        }
        let by = |scale: &f64, factor: f64| (scale * factor.clamp(0.01, 100.0)).clamp(SCALES[0], SCALES[1]);
        let storage_scale = match &seen.storage {
            Some(factors) => self.storage_scale.iter().zip(factors).map(|(scale, factor)| by(scale, *factor)).collect(),
            None => self.storage_scale.clone(),
        };
        let trainer_scale = by(&self.trainer_scale, seen.trainer.unwrap_or(1.0));
        self.replanning(seen, resources, storage_scale, trainer_scale)
    }

    /// What is left, to be planned; nothing where nothing is.
    fn replanning(
        &self,
        seen: Seen,
        resources: Resources,
        storage_scale: Vec<f64>,
        trainer_scale: f64,
    ) -> Option<Replanning> {
        let times = |place: usize| std::iter::repeat_n(place, self.left[place] as usize);
        let left: Vec<_> = (0..self.left.len()).flat_map(times).collect();
        let (profile, options) = (Arc::clone(&self.profile), self.options.clone());
        let replanning = Replanning { profile, options, resources, storage_scale, trainer_scale, left, seen };
        (!replanning.left.is_empty()).then_some(replanning)
    }

    /// Follows a new plan, from now on.
    ///
    /// # Errors
    /// A fault of this program: the plan is of another dataset.
    pub fn adopt(&mut self, mut replanned: Replanned) -> Result<Replanned, PilotError> {
        for &(place, way) in &replanned.ways {
            // What has come meanwhile is past planning.
            if self.left[place] > 0 && self.choices[place] != way {
                self.choices[place] = way;
                replanned.moved += 1;
            }
        }
        if replanned.moved > 0 {
            let (cuts, pixels) = tables(&self.choices);
            self.live.set(cuts, pixels)?;
        }
        self.resources = replanned.resources.clone();
        self.storage_scale.clone_from(&replanned.storage_scale);
        self.trainer_scale = replanned.trainer_scale;
        self.learnt |= replanned.seen != Seen::default();
        self.prediction = Some(replanned.prediction.clone());
        self.watch.restart();
        Ok(replanned)
    }
}

// === impl Replanning ===

impl Replanning {
    /// Plans what is left. Computes for as long as a planner does.
    ///
    /// # Errors
    /// Where there is no plan.
    pub fn plan(self) -> Result<Replanned, PilotError> {
        let whole =
            self.left.len() == self.profile.len() && self.left.iter().enumerate().all(|(at, place)| at == *place);
        let as_profiled = self.trainer_scale == 1.0 && self.storage_scale.iter().all(|scale| *scale == 1.0);
        let rest = if whole && as_profiled { Arc::clone(&self.profile) } else { Arc::new(self.rest()?) };
        let plan = plan(&rest, &self.resources, &self.options.allowed, self.options.algorithm)?;
        let ways = self.left.iter().copied().zip(plan.iter()).collect();
        let Self { resources, storage_scale, trainer_scale, left, seen, .. } = self;
        let (prediction, left) = (plan.prediction.clone(), left.len());
        Ok(Replanned { seen, resources, prediction, left, moved: 0, storage_scale, trainer_scale, ways })
    }

    /// The profile of what is left, as it is believed by now.
    fn rest(&self) -> Result<Profile, PilotError> {
        let profile = &self.profile;
        let mut first = 0;
        let mut servers = Vec::new();
        for server in profile.servers() {
            let held = |place: &usize| (server.first..server.end()).contains(&(*place as u64));
            let samples = self.left.iter().filter(|place| held(place)).count() as u64;
            servers.push(Server { first, samples, ..server.clone() });
            first += samples;
        }
        let mut builder = ProfileBuilder::new(profile.provenance().clone(), servers, profile.ways().to_vec())?;
        for &place in &self.left {
            let scale = profile.server_of(place).map_or(1.0, |server| self.storage_scale[server]);
            let cost = |position| {
                let cost = profile.cost(place, position).unwrap_or_default();
                Cost {
                    storage_seconds: (cost.storage_seconds * scale).min(MOST_SECONDS),
                    trainer_seconds: (cost.trainer_seconds * self.trainer_scale).min(MOST_SECONDS),
                    ..cost
                }
            };
            let costs: Vec<_> = (0..profile.ways().len()).map(cost).collect();
            builder.push(&SampleFacts::default(), &costs)?;
        }
        Ok(builder.finish()?)
    }
}

fn tables(choices: &[Way]) -> (Arc<[Cut]>, Arc<[PixelCoding]>) {
    (choices.iter().map(|way| way.cut()).collect(), choices.iter().map(|way| way.pixels()).collect())
}

#[cfg(test)]
mod tests {
    use headwater_plan::{Cores, Provenance, ServerResources, Source};

    use super::*;

    /// Two servers of 500 photos each: 100 kB as they are, 20 kB for 10 ms of a core.
    fn profile() -> Arc<Profile> {
        let provenance = Provenance::new(Source::Synthetic, "2026-11-21T00:00:00Z", "test", "0");
        let server = |first| Server {
            address: format!("s{first}:1"),
            digest: None,
            first,
            samples: 500,
            cpu_workers: None,
            lacks: Vec::new(),
        };
        let ways = vec![Way::ENCODED, "cropped".parse().unwrap()];
        let mut builder = ProfileBuilder::new(provenance, vec![server(0), server(500)], ways).unwrap();
        let cost = |bytes, storage_seconds| Cost { bytes, storage_seconds, trainer_seconds: 0.001 };
        for _ in 0..1000 {
            builder.push(&SampleFacts::default(), &[cost(100_000, 0.0), cost(20_000, 0.01)]).unwrap();
        }
        Arc::new(builder.finish().unwrap())
    }

    fn resources(bandwidth: f64) -> Resources {
        let server = ServerResources { cores: Cores::new(1.0).unwrap(), bandwidth: None };
        Resources {
            bandwidth: BitsPerSecond::new(bandwidth),
            trainer_cores: Cores::new(4.0),
            accelerator_rate: None,
            servers: vec![server; 2],
        }
    }

    #[test]
    fn half_the_bandwidth_sends_more_of_what_is_left_through_the_cores() {
        let samples: Vec<_> = (0..1000).map(SampleIndex).collect();
        let mut pilot = Autopilot::new(profile(), resources(320e6), AutopilotOptions::default(), &samples).unwrap();
        let cropped = |pilot: &Autopilot| pilot.choices.iter().filter(|way| way.is_offloaded()).count();
        let before = cropped(&pilot);
        assert!((100..900).contains(&before), "{before}");
        // 100 samples a tick at the believed rate, then at half of it.
        let (mut received, mut at, mut replanned) = (0.0, 0.0, None);
        for tick in 0..40 {
            at += 0.25;
            received += if tick < 8 { 10e6 } else { 5e6 };
            for index in tick * 10..tick * 10 + 10 {
                pilot.came(SampleIndex(index), None, CpuSeconds::default(), CpuSeconds(0.001));
            }
            if let Some(replanning) =
                pilot.look(Duration::from_secs_f64(at), received as u64, Duration::from_secs_f64(at))
            {
                let plan = replanning.plan().unwrap();
                replanned = Some((at, pilot.adopt(plan).unwrap()));
                break;
            }
        }
        let (at, replanned) = replanned.unwrap();
        assert!(at <= 4.0, "{at}");
        assert!((replanned.resources.bandwidth.unwrap().get() / 160e6 - 1.0).abs() < 0.15);
        assert!(replanned.moved > 50 && cropped(&pilot) > before, "{} of {}", replanned.moved, replanned.left);
        assert_eq!(replanned.left, pilot.left.iter().filter(|left| **left > 0).count());
    }

    #[test]
    fn a_while_in_which_nobody_looked_is_not_blamed_on_the_network() {
        let samples: Vec<_> = (0..1000).map(SampleIndex).collect();
        let secs = Duration::from_secs_f64;
        let look_after_a_rest = |resume: bool| {
            let mut pilot = Autopilot::new(profile(), resources(80e6), AutopilotOptions::default(), &samples).unwrap();
            let mut look = |at: f64, bytes: f64| pilot.look(secs(at), bytes as u64, secs(at));
            assert!((1..20).all(|tick| look(f64::from(tick) * 0.25, f64::from(tick) * 2.5e6).is_none()));
            if resume {
                pilot.resume();
            }
            let mut look = |at: f64, bytes: f64| pilot.look(secs(at), bytes as u64, secs(at));
            // As fast as ever, but for the minute between.
            (0..20)
                .filter(|tick| look(60.0 + f64::from(*tick) * 0.25, 50e6 + f64::from(*tick) * 2.5e6).is_some())
                .count()
        };
        assert_eq!(look_after_a_rest(true), 0);
        assert!(look_after_a_rest(false) > 0);
    }

    #[test]
    fn what_goes_as_planned_is_left_alone() {
        let samples: Vec<_> = (0..1000).map(SampleIndex).collect();
        let mut pilot = Autopilot::new(profile(), resources(80e6), AutopilotOptions::default(), &samples).unwrap();
        for tick in 1..80 {
            let at = f64::from(tick) * 0.25;
            let at = Duration::from_secs_f64(at);
            assert!(pilot.look(at, (at.as_secs_f64() * 1e7) as u64, at).is_none());
        }
    }

    #[test]
    fn what_one_epoch_has_taught_holds_in_the_next_and_can_be_told_to_another_pilot() {
        let samples: Vec<_> = (0..1000).map(SampleIndex).collect();
        let new = || Autopilot::idle(profile(), resources(320e6), AutopilotOptions::default()).unwrap();
        let mut pilot = new();
        assert_eq!(pilot.choices.iter().filter(|way| way.is_offloaded()).count(), 0);
        let begin = |pilot: &mut Autopilot| {
            let planning = pilot.begin(&samples).unwrap();
            pilot.adopt(planning.plan().unwrap()).unwrap();
            pilot.choices.iter().filter(|way| way.is_offloaded()).count()
        };
        let first = begin(&mut pilot);
        assert_eq!(pilot.learnt(), None);
        let seen = Seen { bandwidth: Some(160e6), ..Seen::default() };
        let resources = Resources { bandwidth: BitsPerSecond::new(160e6), ..resources(160e6) };
        let planning = pilot.replanning(seen, resources, vec![1.0, 1.0], 1.0).unwrap();
        pilot.adopt(planning.plan().unwrap()).unwrap();
        let learnt = pilot.learnt().unwrap();
        let second = begin(&mut pilot);
        assert!(second > first, "{first} {second}");
        let mut other = new();
        other.believe(&learnt);
        assert_eq!(begin(&mut other), second);
        other.believe(&Learnt { storage: vec![f64::NAN, 1.0], bandwidth: BitsPerSecond::new(1.0), ..learnt.clone() });
        assert_eq!(other.learnt(), Some(learnt), "what makes no sense is left alone");
    }

    #[test]
    fn a_sample_that_comes_several_times_is_planned_as_often_and_one_that_always_may_is_never_past_planning() {
        let twice: Vec<_> = (0..100).chain(0..100).map(SampleIndex).collect();
        for repeats in [false, true] {
            let options = AutopilotOptions { repeats, ..AutopilotOptions::default() };
            let mut pilot = Autopilot::new(profile(), resources(320e6), options, &twice).unwrap();
            let bytes = pilot.prediction().unwrap().bytes;
            assert!((2_000_000..=20_000_000).contains(&bytes) && bytes > 10_000_000, "{bytes}: of 200 samples");
            for index in (0..100).map(SampleIndex) {
                pilot.came(index, None, CpuSeconds::default(), CpuSeconds(0.001));
            }
            let left = pilot.left.iter().sum::<u32>();
            assert_eq!(left, if repeats { 200 } else { 100 });
        }
    }

    #[test]
    fn a_plan_that_is_there_is_followed_and_one_of_another_dataset_is_not() {
        let samples: Vec<_> = (0..1000).map(SampleIndex).collect();
        let planned = plan(&profile(), &resources(320e6), &[], Algorithm::Optimal).unwrap();
        let mut pilot = Autopilot::idle(profile(), resources(80e6), AutopilotOptions::default()).unwrap();
        pilot.follow(&planned, &samples).unwrap();
        assert!(pilot.choices.iter().copied().eq(planned.iter()));
        assert_eq!(pilot.prediction(), Some(&planned.prediction));
        let Ok(small) = Autopilot::idle(profile(), resources(80e6), AutopilotOptions::default()) else { panic!() };
        let mut small = Autopilot { choices: small.choices[..10].to_vec(), ..small };
        assert!(matches!(
            small.follow(&planned, &samples),
            Err(PilotError::PlannedSamples { planned: 1000, served: 10 })
        ));
    }
}
