//! No bytes, however broken, make a function of this crate panic.

use crate::support::{head, small_extractor};
use headwater_onnx::external::{outside, take_in};
use headwater_onnx::{
    ElementType, GraphBuilder, Head, InputSettings, Limits, Network, Step, adapt, check, join, prune, split, stated,
    tail,
};
use proptest::prelude::*;

/// Calls every function that takes bytes once.
fn feed(bytes: &[u8]) {
    let limits = Limits::default();
    let checked = check(bytes, &limits);
    let pruned = prune(bytes, &["features"], &limits);
    if checked.is_err() {
        assert!(pruned.is_err(), "what does not pass the check is not cut down");
    }
    let adapted = adapt(bytes, &[Step::Cast(ElementType::FLOAT16)], &limits);
    assert!(checked.is_ok() || adapted.is_err(), "nor brought to another input");
    let _ = InputSettings::parse(Some("nhwc"), None).unwrap().written_into(bytes.to_vec());
    if let Ok(found) = outside(bytes, &limits) {
        let data = found.iter().map(|outside| vec![0; outside.length.min(1 << 16) as usize]).collect();
        let _ = take_in(bytes, data, &limits);
    }
    let _ = tail(bytes, "features", &["probs"], &limits);
    cut(bytes, &limits);
    let _ = Head::read(bytes, &limits);
    let _ = join(bytes, "features", &small_head(), &limits);
    let _ = join(&small_extractor(true), "features", bytes, &limits);
}

fn small_outside() -> Vec<u8> {
    let mut graph = GraphBuilder::new("outside");
    graph.outside("w", &[2], &[("location", "m.data"), ("offset", "4"), ("length", "8")]).relu("features", "w");
    graph.finish()
}

/// Cuts a network wherever it can be cut: the halves are models again.
fn cut(bytes: &[u8], limits: &Limits) {
    let Ok(network) = Network::read(bytes, &["probs"], limits) else { return };
    let facts = stated(bytes, limits).unwrap_or_default();
    for cut in network.cuts(|_| Some(1)).cuts {
        let fact = |name: &String| facts.iter().find(|value| value.name == *name).cloned();
        let Some(at) = cut.values.iter().map(fact).collect::<Option<Vec<_>>>() else { continue };
        if let Ok(halves) = split(bytes, &["probs"], &at, limits) {
            assert!(check(&halves.front, limits).is_ok() && check(&halves.back, limits).is_ok());
        }
        assert!(network.peak(&cut.values, |_| Some(1)) > 0);
    }
}

fn small_head() -> Vec<u8> {
    head(6, Some(2)).write().unwrap()
}

#[test]
fn a_model_cut_off_anywhere_is_an_error_or_a_model() {
    for model in [small_extractor(true), small_head(), small_outside()] {
        for length in 0..model.len() {
            feed(&model[..length]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn bytes_that_are_no_model_are_refused(bytes: Vec<u8>) {
        feed(&bytes);
    }

    #[test]
    fn a_model_with_changed_bytes_is_an_error_or_a_model(
        of_head: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut model = if of_head { small_head() } else { small_extractor(false) };
        for (place, byte) in changes {
            let place = place.index(model.len());
            model[place] = byte;
        }
        feed(&model);
    }
}
