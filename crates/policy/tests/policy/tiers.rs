//! What moves, and in which order.

use headwater_policy::{Facts, Moved, PolicyName, Tier, TierSizes, Tiers};

fn tiers(policy: PolicyName, memory: u64, ssd: u64) -> Tiers<&'static str> {
    Tiers::new(policy, TierSizes { memory, ssd })
}

fn worth(cost: f32) -> Facts {
    Facts { cost, ..Facts::of_bytes(1) }
}

#[test]
fn what_memory_has_no_room_for_is_demoted_and_what_is_found_on_the_ssd_is_promoted() {
    let (mut tiers, mut moved) = (tiers(PolicyName::Lru, 2, 2), Vec::new());
    for key in ["a", "b", "c", "d"] {
        assert_eq!(tiers.admit(key, worth(1.0), &mut moved), Some(Tier::Memory));
    }
    assert_eq!(moved, [Moved::Demoted("a"), Moved::Demoted("b")]);
    moved.clear();
    assert_eq!(tiers.access(&"a", &mut moved), Some(Tier::Ssd));
    assert_eq!(moved, [Moved::Promoted("a"), Moved::Demoted("c")]);
    moved.clear();
    tiers.admit("e", worth(1.0), &mut moved);
    assert_eq!(moved, [Moved::Evicted("b", Tier::Ssd), Moved::Demoted("d")]);
    assert_eq!(["a", "b", "c", "d", "e"].map(|key| tiers.find(&key)), {
        let (memory, ssd) = (Some(Tier::Memory), Some(Tier::Ssd));
        [memory, None, ssd, ssd, memory]
    });
}

#[test]
fn what_does_not_fit_a_tier_goes_to_the_other_or_nowhere() {
    let (mut tiers, mut moved) = (tiers(PolicyName::Lru, 2, 5), Vec::new());
    assert_eq!(tiers.admit("large", Facts::of_bytes(3), &mut moved), Some(Tier::Ssd));
    assert_eq!(tiers.admit("too large", Facts::of_bytes(6), &mut moved), None);
    assert_eq!(tiers.access(&"large", &mut moved), Some(Tier::Ssd));
    assert_eq!((tiers.find(&"large"), moved.len()), (Some(Tier::Ssd), 0));
}

#[test]
fn an_earlier_value_is_evicted_even_where_the_new_one_is_rejected() {
    for policy in PolicyName::ALL {
        let (mut tiers, mut moved) = (tiers(policy, 2, 0), Vec::new());
        tiers.admit("a", Facts::of_bytes(1), &mut moved);
        assert_eq!(tiers.admit("a", Facts::of_bytes(3), &mut moved), None);
        assert_eq!(moved, [Moved::Evicted("a", Tier::Memory)], "{policy}");
        assert_eq!(tiers.find(&"a"), None);
    }
}

#[test]
fn the_most_valuable_are_in_memory_and_the_next_on_the_ssd() {
    for policy in [PolicyName::Planned, PolicyName::Importance] {
        let (mut tiers, mut moved) = (tiers(policy, 1, 1), Vec::new());
        assert_eq!(tiers.admit("small", worth(1.0), &mut moved), Some(Tier::Memory));
        assert_eq!(tiers.admit("middle", worth(2.0), &mut moved), Some(Tier::Memory));
        assert_eq!(moved, [Moved::Demoted("small")], "{policy}");
        moved.clear();
        assert_eq!(tiers.admit("large", worth(3.0), &mut moved), Some(Tier::Memory));
        assert_eq!(moved, [Moved::Evicted("small", Tier::Ssd), Moved::Demoted("middle")], "{policy}");
        moved.clear();
        assert_eq!(tiers.admit("less", worth(1.5), &mut moved), None, "{policy}: worth less than all");
        tiers.update(&"middle", |facts| facts.cost = 4.0);
        assert_eq!(tiers.access(&"middle", &mut moved), Some(Tier::Ssd));
        assert_eq!(moved, [Moved::Promoted("middle"), Moved::Demoted("large")], "{policy}");
    }
}

#[test]
fn a_dense_entry_that_pushes_a_large_one_out_leaves_those_that_still_fit() {
    let (mut tiers, mut moved) = (tiers(PolicyName::Importance, 10, 0), Vec::new());
    tiers.admit("one", Facts { cost: 1.1, ..Facts::of_bytes(1) }, &mut moved);
    tiers.admit("nine", Facts { cost: 10.0, ..Facts::of_bytes(9) }, &mut moved);
    tiers.admit("two", Facts { cost: 4.0, ..Facts::of_bytes(2) }, &mut moved);
    assert_eq!(moved, [Moved::Evicted("nine", Tier::Memory)]);
    assert_eq!(tiers.usage(Tier::Memory).bytes, 3);
}

#[test]
fn nothing_is_ever_evicted_from_a_static_cache_that_keeps_its_size() {
    let (mut tiers, mut moved) = (tiers(PolicyName::Static, 2, 1), Vec::new());
    let found = ["a", "b", "c", "d"].map(|key| tiers.admit(key, worth(9.0), &mut moved));
    assert_eq!(found, [Some(Tier::Memory), Some(Tier::Memory), Some(Tier::Ssd), None]);
    assert!(tiers.access(&"c", &mut moved).is_some() && moved.is_empty());
    tiers.resize(TierSizes { memory: 1, ssd: 2 }, &mut moved);
    assert_eq!(moved, [Moved::Demoted("a")]);
}

#[test]
fn smaller_sizes_hold_at_once_and_a_size_of_nothing_empties_a_tier() {
    for policy in PolicyName::ALL {
        let (mut tiers, mut moved) = (tiers(policy, 3, 3), Vec::new());
        for key in ["a", "b", "c", "d", "e", "f"] {
            tiers.admit(key, worth(1.0), &mut moved);
        }
        tiers.resize(TierSizes { memory: 0, ssd: 2 }, &mut moved);
        let [memory, ssd] = Tier::BOTH.map(|tier| tiers.usage(tier).entries);
        assert_eq!((memory, ssd), (0, 2), "{policy}");
        assert!(tiers.evict(Tier::Ssd, &mut moved) && tiers.evict(Tier::Ssd, &mut moved));
        assert!(!tiers.evict(Tier::Ssd, &mut moved) && !tiers.evict(Tier::Memory, &mut moved), "{policy}");
    }
}

#[test]
fn what_was_found_at_start_comes_in_while_there_is_room() {
    for policy in PolicyName::ALL {
        let (mut tiers, mut moved) = (tiers(policy, 1, 2), Vec::new());
        let kept = ["a", "b", "c"].map(|key| tiers.restore(key, worth(1.0), &mut moved));
        assert_eq!((kept, moved.len()), ([true, true, false], 0), "{policy}");
        assert_eq!(tiers.find(&"a"), Some(Tier::Ssd), "{policy}");
    }
}

#[test]
fn what_left_the_small_queue_unused_enters_the_main_queue_when_it_comes_back() {
    let (mut tiers, mut moved) = (Tiers::new(PolicyName::S3Fifo, TierSizes { memory: 10, ssd: 0 }), Vec::new());
    for key in 0..11 {
        tiers.admit(key, Facts::of_bytes(1), &mut moved);
    }
    assert_eq!(moved, [Moved::Evicted(0, Tier::Memory)]);
    tiers.admit(0, Facts::of_bytes(1), &mut moved);
    for key in 100..130 {
        tiers.admit(key, Facts::of_bytes(1), &mut moved);
    }
    assert_eq!(tiers.find(&0), Some(Tier::Memory), "a scan passes through the small queue");
    assert!((1..11).all(|key| tiers.find(&key).is_none()));
}

#[test]
fn importance_counts_at_once_and_decays() {
    let (mut tiers, mut moved) = (tiers(PolicyName::Importance, 2, 0), Vec::new());
    tiers.admit("old", worth(4.0), &mut moved);
    tiers.admit("new", worth(1.0), &mut moved);
    assert_eq!(tiers.admit("other", worth(0.9), &mut moved), None);
    // 32 reports are 16 rounds of two entries; one more halves what was not reported, and so on.
    for _ in 0..100 {
        tiers.update(&"new", |facts| facts.importance = 1.0);
    }
    assert_eq!(tiers.facts(&"old").map(|facts| facts.importance), Some(0.125));
    assert_eq!(tiers.admit("other", worth(0.9), &mut moved), Some(Tier::Memory));
    assert_eq!(moved, [Moved::Evicted("old", Tier::Memory)]);
}
