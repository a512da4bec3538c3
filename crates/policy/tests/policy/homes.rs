//! Homes are spread evenly, every server computes the same, and who joins or leaves moves its share and nothing else.

use headwater_policy::homes::{Guest, Host};
use headwater_types::{DatasetName, SampleKey, ServerName};
use proptest::prelude::*;

const SAMPLES: usize = 20_000;

fn hosts(servers: usize) -> Vec<Host> {
    let name = |server| format!("10.0.0.{server}-7440").parse::<ServerName>().unwrap();
    (1..=servers).map(|server| Host::new(&name(server))).collect()
}

/// Keys as datasets have them: long ones that differ in a few digits.
fn guests() -> Vec<Guest> {
    let dataset: DatasetName = "photos".parse().unwrap();
    let key = |sample| format!("train/n{:08}/photo_{sample}.jpg", sample % 100).parse::<SampleKey>().unwrap();
    (0..SAMPLES).map(|sample| Guest::new(&dataset, &key(sample))).collect()
}

fn homes(hosts: &[Host]) -> Vec<Host> {
    guests().into_iter().map(|guest| hosts[guest.home(hosts.iter().copied()).unwrap()]).collect()
}

#[test]
fn every_server_is_the_home_of_its_share_within_what_chance_allows() {
    for servers in [1, 2, 3, 7, 16] {
        let (hosts, expected) = (hosts(servers), SAMPLES as f64 / servers as f64);
        let homes = homes(&hosts);
        // Chi-squared, which is about normal: six standard deviations, so that a fair hash passes.
        let far: f64 = hosts
            .iter()
            .map(|host| homes.iter().filter(|home| *home == host).count() as f64)
            .map(|count| (count - expected).powi(2) / expected)
            .sum();
        let freedom = (servers - 1) as f64;
        assert!(far <= freedom + 6.0 * (2.0 * freedom).sqrt(), "{servers} servers: {far}");
    }
}

#[test]
fn a_server_that_leaves_or_joins_moves_its_share_alone_and_evenly() {
    let all = hosts(5);
    let before = homes(&all);
    for gone in &all {
        let left: Vec<_> = all.iter().copied().filter(|host| host != gone).collect();
        let after = homes(&left);
        let moved: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
        assert!(moved.iter().all(|(before, _)| *before == gone), "a sample of a server that stayed has moved");
        assert_eq!(moved.len(), before.iter().filter(|home| *home == gone).count());
        for heir in &left {
            let inherited = moved.iter().filter(|(_, after)| *after == heir).count() as f64;
            let expected = moved.len() as f64 / left.len() as f64;
            assert!((inherited - expected).abs() <= 6.0 * expected.sqrt(), "{inherited} of about {expected}");
        }
        // To join is to leave, seen from the other end.
        assert!(after.iter().zip(&before).all(|(without, with)| without == with || with == gone));
    }
}

#[test]
fn another_dataset_has_its_homes_elsewhere_and_nobody_is_no_home() {
    let (hosts, key) = (hosts(4), |sample: usize| format!("{sample}.jpg").parse::<SampleKey>().unwrap());
    let home = |dataset: &str, sample| Guest::new(&dataset.parse().unwrap(), &key(sample)).home(hosts.iter().copied());
    let same = (0..4000).filter(|sample| home("a", *sample) == home("b", *sample)).count();
    assert!((800..1200).contains(&same), "a quarter is the same by chance: {same}");
    assert_eq!(Guest::new(&"a".parse().unwrap(), &key(0)).home([]), None);
}

/// The weights of a release hold for the next: servers of two releases would have two homes for a sample, and a
/// server's folder would be of no use after an upgrade.
#[test]
fn homes_stay_where_they_were_in_earlier_releases() {
    let homes: Vec<_> = guests().iter().take(12).map(|guest| guest.home(hosts(3)).unwrap()).collect();
    assert_eq!(homes, FIRST_TWELVE);
}

const FIRST_TWELVE: [usize; 12] = [1, 2, 2, 1, 2, 2, 1, 1, 0, 2, 1, 2];

proptest! {
    #[test]
    fn the_order_in_which_servers_are_named_changes_no_home(seed in 0..1_000_u64, servers in 1..9_usize) {
        let hosts = hosts(servers);
        let mut turned = hosts.clone();
        turned.rotate_left(seed as usize % servers);
        turned.reverse();
        let guest = Guest::new(&"photos".parse().unwrap(), &format!("{seed}.jpg").parse().unwrap());
        let (one, other) = (guest.home(hosts.iter().copied()).unwrap(), guest.home(turned.iter().copied()).unwrap());
        prop_assert_eq!(hosts[one], turned[other]);
    }
}
