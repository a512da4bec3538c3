//! Who decides where the network is cut, first and while samples come.

use headwater_plan::Cores;
use headwater_plan::partition::{Choice, Fleet, NetworkProfile, PartitionError, partition};
use headwater_types::{BitsPerSecond, CpuSeconds};

use super::change::SplitChange;
use crate::autopilot::Look;
use crate::watch::{Belief, CpuTally, Deviation, Reading, Watch, WatchOptions};

/// Decides by what it is told; it asks nobody.
#[derive(Clone, Debug)]
pub struct SplitPilot {
    profile: NetworkProfile,
    /// What there is, with the bandwidth that is believed now.
    fleet: Fleet,
    /// Factors by which the profile's CPU seconds are off: of each server, and here.
    factors: Vec<f64>,
    here: f64,
    choice: Choice,
    watch: Watch,
    reading: Reading,
}

/// A change of cut throws away what is underway, so that it must shorten the rest by this part.
const WORTH: f64 = 0.1;
/// The bounds of the factor by which CPU seconds are believed to be off.
const FACTOR: [f64; 2] = [0.01, 100.0];

// === impl SplitPilot ===

impl SplitPilot {
    /// Chooses for so many images.
    ///
    /// # Errors
    /// Those of [`partition`]; `NoWay` where no cut can be used by all servers.
    pub fn new(profile: NetworkProfile, fleet: Fleet, images: u64) -> Result<Self, PartitionError> {
        let choice = choose(&profile, &fleet, images)?;
        let storage = vec![CpuTally::default(); fleet.servers.len()];
        let reading = Reading { storage, ..Reading::default() };
        let factors = vec![1.0; fleet.servers.len()];
        let watch = Watch::new(WatchOptions::default());
        Ok(Self { profile, fleet, factors, here: 1.0, choice, watch, reading })
    }

    /// Where the network is cut now.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// Books a sample that came from the server at this place, with the CPU time that it took on each side.
    pub fn came(&mut self, server: usize, storage: CpuSeconds, tuner: CpuSeconds) {
        let [expected, expected_here] = self.seconds(server);
        if let Some((tally, factor)) = self.reading.storage.get_mut(server).zip(self.factors.get(server)) {
            tally.measured += storage.0;
            tally.predicted += expected * factor;
        }
        self.reading.trainer.measured += tuner.0;
        self.reading.trainer.predicted += expected_here * self.here;
    }

    /// Forgets what was read before: a further stream begins.
    pub fn resume(&mut self) {
        self.watch.restart();
    }

    /// Looks at what was received and done until now, with so many samples left. Returns a change of cut; `None` where
    /// nothing deviates, or another cut would not be worth the change.
    pub fn look(&mut self, look: Look, left: u64) -> Option<SplitChange> {
        self.reading.at = look.at;
        self.reading.bytes = look.received as f64;
        self.reading.arriving = look.arriving.as_secs_f64();
        self.reading.late = look.late.as_secs_f64();
        let deviation = self.watch.look(self.reading.clone(), &self.belief())?;
        self.watch.restart();
        self.learn(&deviation);
        let (next, stay) = (choose(&self.profile, &self.believed(), left).ok()?, self.staying(left)?);
        if same(&next, &self.choice) || next.epoch_seconds > (1.0 - WORTH) * stay {
            return None;
        }
        let change = SplitChange {
            at_seconds: look.at.as_secs_f64(),
            seen_bandwidth_bps: deviation.bandwidth,
            seen_storage_cpu: deviation.storage,
            seen_tuner_cpu: deviation.trainer,
            from: self.choice.cut.clone(),
            cut: next.cut.clone(),
            coded: next.coded,
            left,
            predicted_rest_seconds: next.epoch_seconds,
        };
        change.trace();
        self.choice = next;
        Some(change)
    }

    /// What the watch holds a reading against.
    fn belief(&self) -> Belief {
        Belief {
            bandwidth: self.fleet.bandwidth.map(BitsPerSecond::get),
            storage_cores: self.fleet.servers.iter().map(|server| server.resources.cores.get()).collect(),
            trainer_cores: self.fleet.tuner_cores.map_or(f64::INFINITY, Cores::get),
        }
    }

    /// Believes what was seen from now on.
    fn learn(&mut self, deviation: &Deviation) {
        if let Some(bandwidth) = deviation.bandwidth.and_then(BitsPerSecond::new) {
            self.fleet.bandwidth = Some(bandwidth);
        }
        let by = |factor: &mut f64, seen: f64| *factor = (*factor * seen).clamp(FACTOR[0], FACTOR[1]);
        self.factors.iter_mut().zip(deviation.storage.iter().flatten()).for_each(|(factor, &seen)| by(factor, seen));
        by(&mut self.here, deviation.trainer.unwrap_or(1.0));
    }

    /// The fleet as it is believed to be: where CPU seconds are off, its cores are of another speed.
    fn believed(&self) -> Fleet {
        let slower = |cores: Cores, factor: f64| Cores::new(cores.get() / factor).unwrap_or(cores);
        let mut fleet = self.fleet.clone();
        for (server, &factor) in fleet.servers.iter_mut().zip(&self.factors) {
            server.resources.cores = slower(server.resources.cores, factor);
        }
        fleet.tuner_cores = fleet.tuner_cores.map(|cores| slower(cores, self.here));
        fleet
    }

    /// CPU seconds of a sample as it comes now: at its server, beside devices where it has some, and here.
    fn seconds(&self, server: usize) -> [f64; 2] {
        let cut = self.profile.cuts.iter().find(|cut| cut.cut == self.choice.cut);
        let on_device = self.fleet.servers.get(server).is_some_and(|server| server.resources.devices.is_some());
        let of = |cut: &headwater_plan::partition::CutCosts| {
            let coding = if self.choice.coded { [cut.code_seconds, cut.uncode_seconds] } else { [0.0; 2] };
            let there = if on_device { self.profile.host_seconds(cut) } else { cut.server_seconds };
            [there + coding[0], cut.tuner_seconds + coding[1]]
        };
        cut.map(of).unwrap_or_default()
    }

    /// Seconds that the rest takes where nothing is changed.
    fn staying(&self, left: u64) -> Option<f64> {
        let cuts = self.profile.cuts.iter().filter(|cut| cut.cut == self.choice.cut).cloned().collect();
        let alone = NetworkProfile { cuts, ..self.profile.clone() };
        choose(&alone, &self.believed(), left).ok().map(|choice| choice.epoch_seconds)
    }
}

/// The best cut for all servers: each has samples of its own.
fn choose(profile: &NetworkProfile, fleet: &Fleet, images: u64) -> Result<Choice, PartitionError> {
    let plan = partition(profile, fleet, images.max(1), 0.0)?;
    plan.by_servers.into_iter().find(|choice| choice.servers == fleet.servers.len()).ok_or(PartitionError::NoWay)
}

fn same(one: &Choice, other: &Choice) -> bool {
    (&one.cut, one.coded) == (&other.cut, other.coded)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use headwater_plan::ServerResources;
    use headwater_plan::partition::{BatchCost, CutCosts, FORMAT, FleetServer, FrontMemory};
    use headwater_types::{DevicePool, Digest};

    use super::*;

    fn cut(name: &str, bytes: f64, [server, tuner]: [f64; 2]) -> CutCosts {
        CutCosts {
            cut: name.to_owned(),
            tensor: None,
            tensors: Vec::new(),
            bytes,
            coded_bytes: None,
            server_seconds: server,
            device_seconds: None,
            tuner_seconds: tuner,
            code_seconds: 0.0,
            uncode_seconds: 0.0,
            batches: vec![BatchCost { batch: 1, server_seconds: server }],
            memory: FrontMemory::default(),
        }
    }

    fn network(cuts: Vec<CutCosts>) -> NetworkProfile {
        NetworkProfile {
            format: FORMAT,
            model: "net.onnx".to_owned(),
            model_digest: Digest::of(b"model"),
            outputs: vec!["features".to_owned()],
            recipe: "mobilenet-eval".to_owned(),
            recipe_digest: Digest::of(b"recipe"),
            host: "here".to_owned(),
            servers: Vec::new(),
            photos: 1,
            photos_from: "generated".to_owned(),
            photos_failed: 0,
            cuts,
            not_measured: Vec::new(),
            not_searched: 0,
        }
    }

    fn fleet(bandwidth: f64, devices: Option<DevicePool>) -> Fleet {
        let resources = ServerResources { cores: Cores::from(1), bandwidth: None, devices };
        Fleet {
            servers: vec![FleetServer { resources, share: 1.0, memory: None }],
            bandwidth: BitsPerSecond::new(bandwidth),
            tuner_cores: Some(Cores::from(1)),
        }
    }

    /// Early: many bytes, and the work is shared; late: few bytes, and the server has all of the work.
    fn pilot(bandwidth: f64) -> SplitPilot {
        let cuts = vec![cut("early", 100_000.0, [0.01, 0.01]), cut("late", 4_000.0, [0.02, 0.0])];
        SplitPilot::new(network(cuts), fleet(bandwidth, None), 10_000).unwrap()
    }

    #[test]
    fn a_servers_devices_take_the_front_and_leave_its_cores_the_pixels() {
        let cuts = || {
            vec![
                cut("flipped", 150_000.0, [0.004, 0.03]),
                cut("half", 100_000.0, [0.019, 0.015]),
                cut("features", 4_000.0, [0.034, 0.0]),
            ]
        };
        let on_cores = SplitPilot::new(network(cuts()), fleet(1e9, None), 10_000).unwrap();
        assert_eq!((on_cores.choice().cut.as_str(), on_cores.seconds(0)), ("half", [0.019, 0.015]));
        let devices = DevicePool::new(1, 100.0).ok();
        let mut pilot = SplitPilot::new(network(cuts()), fleet(1e9, devices), 10_000).unwrap();
        // A hundred a second are more than the cores here, which are left with half of the network, would make.
        assert_eq!((pilot.choice().cut.as_str(), pilot.seconds(0)), ("features", [0.004, 0.0]));
        assert_eq!(pilot.choice().waits_for, headwater_plan::Resource::StorageDevice(0));
        // What the cores take beside the device is as predicted, so that nothing is moved.
        let change = (1..20).find_map(|quarter| {
            (0..25).for_each(|_| pilot.came(0, CpuSeconds(0.004), CpuSeconds::default()));
            pilot.look(Look { at: Duration::from_millis(125 * quarter), ..Look::default() }, 5_000)
        });
        assert_eq!(change, None);
    }

    /// Seconds of looks at a network of which bytes are underway all the time.
    fn waiting(pilot: &mut SplitPilot, seconds: u64, bits: f64) -> Option<SplitChange> {
        (0..4 * seconds).find_map(|quarter| {
            let at = Duration::from_millis(250 * quarter);
            let received = (bits / 8.0 * at.as_secs_f64()) as u64;
            pilot.look(Look { at, received, arriving: at, late: Duration::ZERO }, 5_000)
        })
    }

    #[test]
    fn a_network_that_is_half_as_fast_moves_the_cut_once() {
        let mut pilot = pilot(80e6);
        assert_eq!(pilot.choice().cut, "early");
        // 80 Mbps bring 100 images a second, which the cores make too; 20 bring 25, and late makes 50.
        let change = waiting(&mut pilot, 5, 20e6).unwrap();
        assert_eq!((change.from.as_str(), change.cut.as_str(), change.left), ("early", "late", 5_000));
        assert!((change.predicted_rest_seconds - 100.0).abs() < 1.0, "{change:?}");
        assert_eq!(pilot.choice().cut, "late");
        assert_eq!(waiting(&mut pilot, 5, 20e6), None);
    }

    #[test]
    fn a_network_that_is_as_believed_moves_nothing_nor_does_a_change_that_is_not_worth_it() {
        assert_eq!(waiting(&mut pilot(80e6), 5, 80e6), None);
        // At 45 Mbps early makes 56 images a second, and late 50.
        assert_eq!(waiting(&mut pilot(80e6), 5, 45e6), None);
    }

    #[test]
    fn servers_that_are_slower_than_profiled_get_less_to_do() {
        let mut pilot = pilot(30e6);
        assert_eq!(pilot.choice().cut, "late");
        let change = (1..20).find_map(|quarter| {
            // 0.1 CPU seconds each, where 0.02 were predicted.
            (0..3).for_each(|_| pilot.came(0, CpuSeconds(0.09), CpuSeconds::default()));
            let look = Look { at: Duration::from_millis(250 * quarter), ..Look::default() };
            pilot.look(look, 5_000)
        });
        let change = change.unwrap();
        assert_eq!(change.cut, "early");
        assert!((change.seen_storage_cpu.unwrap()[0] - 4.5).abs() < 0.1);
    }
}
