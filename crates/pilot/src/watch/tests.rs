use super::*;

const TICK: f64 = 0.25;

fn belief(bandwidth: f64) -> Belief {
    Belief { bandwidth: Some(bandwidth), storage_cores: vec![1.0, 1.0], trainer_cores: 2.0 }
}

/// What is received for a while: bits a second that come, and bits a second that the network would bring while it is
/// waited for.
#[derive(Clone, Copy)]
struct Came {
    rate: f64,
    capacity: f64,
    /// Part of the time for which the reader has room.
    room: f64,
    /// Part of the time by which timers are late.
    late: f64,
}

/// As fast as the network is.
fn at(rate: f64) -> Came {
    Came { rate, capacity: rate, room: 1.0, late: 0.0 }
}

/// Feeds ticks, with what comes and busy parts of the first server, measured and predicted; gives the first thing that
/// was seen, and when.
struct Course {
    watch: Watch,
    now: Reading,
}

impl Course {
    fn new() -> Self {
        let now = Reading { storage: vec![CpuTally::default(); 2], ..Reading::default() };
        Self { watch: Watch::new(WatchOptions::default()), now }
    }

    fn run(&mut self, seconds: f64, came: Came, busy: [f64; 2], belief: &Belief) -> Option<(f64, Deviation)> {
        let begin = self.now.at.as_secs_f64();
        while self.now.at.as_secs_f64() < begin + seconds {
            self.now.at += Duration::from_secs_f64(TICK);
            self.now.bytes += came.rate / 8.0 * TICK;
            self.now.storage[0].measured += busy[0] * TICK;
            self.now.storage[0].predicted += busy[1] * TICK;
            self.now.arriving += (came.rate / came.capacity).min(came.room) * TICK;
            self.now.late += came.late * TICK;
            if let Some(seen) = self.watch.look(self.now.clone(), belief) {
                return Some((self.now.at.as_secs_f64() - begin, seen));
            }
        }
        None
    }
}

#[test]
fn what_goes_as_predicted_is_left_alone_and_so_is_what_is_off_by_less_than_the_factor() {
    let mut course = Course::new();
    for rate in [80e6, 70e6, 95e6] {
        assert_eq!(course.run(20.0, at(rate), [0.1, 0.1], &belief(80e6)), None, "{rate}");
    }
}

#[test]
fn a_bandwidth_that_is_halved_is_seen_in_two_seconds_and_measured_right() {
    let mut course = Course::new();
    assert_eq!(course.run(10.0, at(80e6), [0.1, 0.1], &belief(80e6)), None);
    let (after, seen) = course.run(10.0, at(40e6), [0.1, 0.1], &belief(80e6)).unwrap();
    assert!(after <= 2.0, "{after}");
    assert!((seen.bandwidth.unwrap() / 40e6 - 1.0).abs() < 0.1, "{seen:?}");
    course.watch.restart();
    assert_eq!(course.run(10.0, at(40e6), [0.1, 0.1], &belief(40e6)), None, "once it is believed, it is no news");
    let (after, seen) = course.run(10.0, at(80e6), [0.1, 0.1], &belief(40e6)).unwrap();
    assert!(after <= 2.0 && (seen.bandwidth.unwrap() / 80e6 - 1.0).abs() < 0.1, "{seen:?}");
}

#[test]
fn a_moment_is_no_news() {
    let mut course = Course::new();
    assert_eq!(course.run(10.0, at(80e6), [0.1, 0.1], &belief(80e6)), None);
    let nothing = Came { rate: 0.0, ..at(80e6) };
    assert_eq!(course.run(0.25, nothing, [0.1, 0.1], &belief(80e6)), None);
    assert_eq!(course.run(10.0, at(80e6), [0.1, 0.1], &belief(80e6)), None);
}

#[test]
fn a_network_is_not_blamed_for_busy_cores_or_a_slow_reader() {
    let mut course = Course::new();
    assert_eq!(course.run(10.0, at(20e6), [0.95, 0.95], &belief(80e6)), None);
    assert_eq!(course.run(10.0, Came { room: 0.4, ..at(20e6) }, [0.1, 0.1], &belief(80e6)), None);
    assert_eq!(course.run(10.0, Came { late: 0.3, ..at(20e6) }, [0.1, 0.1], &belief(80e6)), None);
    assert!(course.run(10.0, at(20e6), [0.1, 0.1], &belief(80e6)).is_some());
}

#[test]
fn a_network_is_not_blamed_for_a_server_that_computes_on_cores_that_look_idle() {
    // One server has none, and the other gets less of them than it announces.
    let unlike = |bandwidth| Belief { storage_cores: vec![2.0, 0.0], ..belief(bandwidth) };
    for (rate, believed) in [(0.74e6, 3e9), (20e6, 3e9), (20e6, 80e6), (50e6, 80e6)] {
        let computes = Came { capacity: believed, ..at(rate) };
        assert_eq!(Course::new().run(60.0, computes, [0.4, 0.4], &unlike(believed)), None, "{rate} of {believed}");
    }
}

#[test]
fn a_network_that_gets_slow_while_servers_compute_is_blamed_once_it_is_what_is_waited_for_and_for_what_it_brings() {
    let mut course = Course::new();
    let computes = Came { capacity: 80e6, ..at(30e6) };
    assert_eq!(course.run(20.0, computes, [0.4, 0.4], &belief(80e6)), None);
    // As much as they send, it still brings: nobody waits for more.
    assert_eq!(course.run(20.0, Came { capacity: 45e6, ..computes }, [0.4, 0.4], &belief(80e6)), None);
    let waited = Came { capacity: 25e6, ..at(20e6) };
    let (after, seen) = course.run(20.0, waited, [0.2, 0.2], &belief(80e6)).unwrap();
    assert!(after <= 2.5 && (seen.bandwidth.unwrap() / 25e6 - 1.0).abs() < 0.1, "{after}: {seen:?}");
}

#[test]
fn a_network_that_has_just_brought_what_is_believed_is_not_blamed() {
    let mut course = Course::new();
    for _ in 0..20 {
        assert_eq!(course.run(1.0, at(30e6), [0.1, 0.1], &belief(80e6)), None);
        assert_eq!(course.run(0.25, at(75e6), [0.1, 0.1], &belief(80e6)), None);
    }
}

#[test]
fn cores_that_are_slower_than_predicted_are_seen_where_they_are_what_everything_waits_for() {
    let mut course = Course::new();
    let (_, seen) = course.run(10.0, at(60e6), [0.98, 0.5], &belief(80e6)).unwrap();
    assert_eq!(seen.bandwidth, None);
    assert!((seen.storage.unwrap()[0] - 1.96).abs() < 0.1);
    assert_eq!(Course::new().run(10.0, at(80e6), [0.4, 0.2], &belief(80e6)), None, "nobody waits for them");
}
