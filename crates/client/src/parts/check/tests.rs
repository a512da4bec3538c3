use headwater_types::listing::ListingDigester;
use headwater_types::{AgreedLimits, ByteCount, Digest, Fields, ImageLimits, Listing, Partition as Part};

use super::*;

/// A server `name:7440` that has found these photos and serves this part of them.
fn server(name: &str, photos: impl IntoIterator<Item = u64>, part: &str) -> Partition {
    let mut digester = ListingDigester::default();
    let photos: Vec<_> = photos.into_iter().map(|n| format!("cat/{n:06}.jpg")).collect();
    photos.iter().for_each(|key| digester.push(key, ByteCount::new(1000)));
    let (listing, part): (Listing, Part) = (digester.finish(&["cat".to_owned()]), part.parse().unwrap());
    Partition {
        fields: Fields::default(),
        generation: 1,
        source: "folder".to_owned(),
        address: format!("{name}:7440").parse().unwrap(),
        first: 0,
        samples: photos.iter().filter(|key| part.contains(key)).count() as u64,
        digest: Digest::of(name.as_bytes()),
        part,
        listing,
        cpu_workers: 1,
        server_version: String::new(),
        stored_bytes: 0,
        limits: AgreedLimits { announced: ImageLimits::default(), own: ImageLimits::of_clients() },
        sample_epochs: true,
        names: None,
        labels: Vec::new(),
    }
}

fn refusal(servers: &[Partition]) -> String {
    let refused = check(servers, false).unwrap_err();
    if !matches!(refused, PartsError::Missing(_)) {
        assert_eq!(check(servers, true).unwrap_err(), refused, "what overlaps cannot be insisted on");
    }
    refused.to_string()
}

#[test]
fn parts_of_one_listing_and_listings_of_their_own_are_right() {
    let photos = || 0..400;
    for good in [
        vec![server("a", photos(), "1/1")],
        vec![server("a", photos(), "2/3"), server("b", photos(), "1/3"), server("c", photos(), "3/3")],
        vec![server("a", photos(), "1/1"), server("b", 400..700, "1/2"), server("c", 400..700, "2/2")],
        vec![server("a", 0..0, "1/1"), server("b", 0..0, "1/1"), server("c", photos(), "1/1")],
    ] {
        assert_eq!(check(&good, false), Ok(Vec::new()));
    }
}

#[test]
fn everything_beside_a_half_is_refused_with_numbers_and_names() {
    let said = refusal(&[server("a", 0..399, "1/1"), server("b", 0..399, "1/2")]);
    let served = 399 + server("b", 0..399, "1/2").samples;
    for words in
        ["399 samples", &format!("{served} would come"), "a:7440 has everything (1/1)", "b:7440 has 1/2", "K/N"]
    {
        assert!(said.contains(words), "{words} in {said}");
    }
}

#[test]
fn parts_of_different_numbers_of_parts_are_refused() {
    let said = refusal(&[server("a", 0..399, "1/2"), server("b", 0..399, "2/3")]);
    assert!(said.contains("a:7440 has 1/2, b:7440 has 2/3"), "{said}");
}

#[test]
fn equal_parts_are_told_from_overlapping_ones() {
    for part in ["1/2", "1/1"] {
        let (a, b) = (server("a", 0..399, part), server("b", 0..399, part));
        let said = refusal(&[a, server("c", 900..950, "1/1"), b]);
        assert!(said.starts_with("servers a:7440 and b:7440 both serve") && said.contains(part), "{said}");
        assert!(said.contains("--partition") && said.contains("stand in"), "{said}");
    }
}

#[test]
fn a_part_that_nobody_has_is_named_and_may_be_insisted_on() {
    let servers = [server("a", 0..399, "1/4"), server("b", 0..399, "3/4")];
    let said = refusal(&servers);
    for words in ["a:7440 has 1/4, b:7440 has 3/4, and nobody has 2/4, 4/4", "of 399 samples", "--allow-partial"] {
        assert!(said.contains(words), "{words} in {said}");
    }
    let remarks = check(&servers, true).unwrap();
    assert!(matches!(&remarks[..], [Remark::Partial(missing)] if missing.count == 2), "{remarks:?}");
    let many = refusal(&[server("a", 0..399, "1/4000000000")]);
    assert!(many.contains("9/4000000000 and 3999999991 more"), "{many}");
}

#[test]
fn halves_of_folders_that_have_drifted_apart_are_refused() {
    for (one, other) in [("1/2", "2/2"), ("1/1", "1/1"), ("1/1", "1/2")] {
        let said = refusal(&[server("a", 0..399, one), server("b", 0..400, other)]);
        assert!(said.contains("different photos, though about 100 %") && said.contains("rsync"), "{said}");
        assert!(said.contains("of 399 samples") && said.contains("of 400)"), "{said}");
    }
}

#[test]
fn halves_of_different_folders_are_two_datasets_that_miss_a_half_each() {
    let said = refusal(&[server("a", 0..399, "1/2"), server("b", 500..900, "2/2")]);
    assert!(said.contains("of these photos") && said.contains("of others"), "{said}");
    assert_eq!(check(&[server("a", 0..399, "1/2"), server("b", 500..900, "2/2")], true).unwrap().len(), 2);
}

#[test]
fn a_little_in_common_is_worth_a_word() {
    let remarks = check(&[server("a", 0..10_000, "1/1"), server("b", 9_500..20_000, "1/1")], false).unwrap();
    assert!(matches!(&remarks[..], [Remark::Shared { shared, .. }] if *shared < 0.1), "{remarks:?}");
}
