//! What a profile promises.

use headwater_types::Cut;

use super::*;
use crate::provenance::Source;

pub(crate) fn provenance() -> Provenance {
    Provenance::new(Source::Synthetic, "2026-11-21T00:00:00Z", "test", "0")
}

fn server(address: &str, first: u64, samples: u64) -> Server {
    Server {
        address: address.into(),
        digest: None,
        first,
        samples,
        cpu_workers: None,
        devices: None,
        lacks: Vec::new(),
    }
}

fn ways() -> Vec<Way> {
    vec![Way::ENCODED, Way::raw(Cut::Cropped)]
}

fn cost(bytes: u64, storage_seconds: f64, trainer_seconds: f64) -> Cost {
    Cost { bytes, storage_seconds, trainer_seconds }
}

#[test]
fn a_profile_gives_back_what_it_was_given() {
    let servers = vec![server("a:1", 0, 1), server("b:1", 1, 0), server("c:1", 1, 1)];
    let mut builder = ProfileBuilder::new(provenance(), servers, ways()).unwrap();
    let facts = [
        SampleFacts { key: Some("red/a.jpg"), width: Some(3), height: Some(4), measured: true },
        SampleFacts { key: Some("b"), ..SampleFacts::default() },
    ];
    let costs = [[cost(7, 0.0, 0.5), cost(9, 0.25, 0.0)], [cost(1, 0.0, 0.0), cost(4_294_967_295, 1.0, 2.0)]];
    for (facts, costs) in facts.iter().zip(&costs) {
        builder.push(facts, costs).unwrap();
    }
    let profile = builder.finish().unwrap();
    assert_eq!((profile.len(), profile.find("b"), profile.find("red")), (2, Some(1), None));
    for index in 0..2 {
        assert_eq!(profile.facts(index), Some(facts[index]));
        for (position, cost) in costs[index].iter().enumerate() {
            assert_eq!(profile.cost(index, position), Some(*cost));
        }
    }
    assert_eq!((profile.cost(2, 0), profile.cost(0, 2), profile.facts(2)), (None, None, None));
    assert_eq!([0, 1, 2].map(|index| profile.server_of(index)), [Some(0), Some(2), None]);
}

#[test]
fn what_is_no_profile_is_refused() {
    let new = |servers: &[Server], ways: &[Way]| ProfileBuilder::new(provenance(), servers.to_vec(), ways.to_vec());
    let one = server("a:1", 0, 1);
    assert_eq!(new(&[], &ways()).unwrap_err(), ProfileError::NoServer);
    assert_eq!(new(std::slice::from_ref(&one), &ways()[1..]).unwrap_err(), ProfileError::Ways);
    assert_eq!(new(std::slice::from_ref(&one), &[Way::ENCODED; 2]).unwrap_err(), ProfileError::Ways);
    let features = [Way::ENCODED, Way::FEATURES];
    assert_eq!(new(std::slice::from_ref(&one), &features).unwrap_err(), ProfileError::NoModel);
    assert!(matches!(new(&[one.clone(), server("b:1", 2, 1)], &ways()), Err(ProfileError::Gap { expected: 1, .. })));
    assert!(matches!(new(&[server("a:1", 0, u64::MAX)], &ways()), Err(ProfileError::TooMany { .. })));

    let mut builder = new(&[one], &ways()).unwrap();
    let facts = SampleFacts::default();
    let good = [cost(1, 0.0, 0.0); 2];
    for bad in [cost(1 << 32, 0.0, 0.0), cost(1, f64::NAN, 0.0), cost(1, 0.0, -1.0), cost(1, 0.0, f64::INFINITY)] {
        assert!(matches!(builder.push(&facts, &[good[0], bad]), Err(ProfileError::Value { .. })));
    }
    assert!(matches!(builder.push(&facts, &[cost(1, 0.1, 0.0), good[1]]), Err(ProfileError::Value { .. })));
    assert!(matches!(builder.push(&facts, &good[1..]), Err(ProfileError::Costs { .. })));
    assert!(matches!(builder.clone().finish(), Err(ProfileError::Count { expected: 1, given: 0 })));
    builder.push(&facts, &good).unwrap();
    assert!(matches!(builder.push(&facts, &good), Err(ProfileError::Count { expected: 1, given: 2 })));
    assert_eq!(builder.finish().unwrap().len(), 1);
}

#[test]
fn the_digest_is_of_what_plans_depend_on() {
    let made = |bytes: u64, date: &str| {
        let provenance = Provenance { date: date.into(), ..provenance() };
        let mut builder = ProfileBuilder::new(provenance, vec![server("a:1", 0, 1)], ways()).unwrap();
        builder.push(&SampleFacts::default(), &[cost(bytes, 0.0, 0.0); 2]).unwrap();
        builder.finish().unwrap().digest()
    };
    assert_eq!(made(1, "today"), made(1, "tomorrow"));
    assert_ne!(made(1, "today"), made(2, "today"));
}
