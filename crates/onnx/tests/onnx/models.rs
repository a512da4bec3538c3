//! Heads, pruned models and joined models compute what they should, as ONNX Runtime in Python runs them.

use crate::support::{assert_close, dense, head, logits, noise, run_with_python, shared_model, small_extractor};
use headwater_onnx::graph::Window;
use headwater_onnx::{Dim, ElementType, GraphBuilder, Head, Limits, OnnxError, ValueFacts, check, join, prune, tail};

fn limits() -> Limits {
    Limits::default()
}

fn names(values: &[ValueFacts]) -> Vec<&str> {
    values.iter().map(|value| value.name.as_str()).collect()
}

#[test]
fn a_head_gives_the_logits_of_its_layers_and_their_softmax() {
    for hidden in [None, Some(5)] {
        let head = head(7, hidden);
        let input = noise(2 * 7, 5);
        let Some(outputs) = run_with_python(&head.write().unwrap(), &[2, 7], &input) else { return };
        for (row, features) in input.chunks(7).enumerate() {
            let expected = logits(&head.layers, features);
            let of_row = |name: &str| outputs[name][3 * row..3 * (row + 1)].to_vec();
            let total: f64 = expected.iter().map(|v| v.exp()).sum();
            let probs: Vec<f32> = expected.iter().map(|v| (v.exp() / total) as f32).collect();
            assert_close(&of_row("logits"), &expected.iter().map(|v| *v as f32).collect::<Vec<_>>(), 1e-5);
            assert_close(&of_row("probs"), &probs, 1e-5);
        }
    }
}

#[test]
fn a_head_reads_back_as_it_was_written() {
    for hidden in [None, Some(5)] {
        let head = head(7, hidden);
        let bytes = head.write().unwrap();
        assert_eq!(Head::read(&bytes, &limits()).unwrap(), head);
        let facts = check(&bytes, &limits()).unwrap();
        assert_eq!((names(&facts.inputs), names(&facts.outputs)), (vec!["features"], vec!["probs", "logits"]));
        assert_eq!(facts.inputs[0].dims, Some(vec![Dim::symbol("N"), Dim::Fixed(7)]));
    }
    assert!(Head::read(&small_extractor(true), &limits()).is_err());
}

#[test]
fn a_head_whose_layers_do_not_fit_is_not_written() {
    let cases: [&dyn Fn(&mut Head); 5] = [
        &|head| head.layers.clear(),
        &|head| head.layers.push(dense(4, 3, 1)),
        &|head| head.classes.truncate(2),
        &|head| head.layers[0].weights.truncate(1),
        &|head| head.layers[0].bias.clear(),
    ];
    for spoil in cases {
        let mut head = head(7, None);
        spoil(&mut head);
        assert!(matches!(head.write(), Err(OnnxError::Shape(_))));
    }
}

#[test]
fn a_joined_model_gives_the_head_of_the_features() {
    for (flat, hidden) in [(true, None), (false, Some(5))] {
        let (extractor, head) = (small_extractor(flat), head(6, hidden));
        let joined = join(&extractor, "features", &head.write().unwrap(), &limits()).unwrap();
        assert_joined(&extractor, &head, &joined, &[2, 3, 8, 8]);
        let facts = check(&joined, &limits()).unwrap();
        assert_eq!((names(&facts.inputs), names(&facts.outputs)), (vec!["input"], vec!["probs", "logits"]));
        assert_eq!(facts.outputs[0].dims, Some(vec![Dim::symbol("batch"), Dim::Fixed(3)]));
        let keys: Vec<_> = facts.metadata.iter().map(|(key, _)| key.as_str()).collect();
        assert!(keys.contains(&"origin") && keys.contains(&"headwater.classes"), "{keys:?}");
    }
}

/// The extractor's own `logits` serve as features: the name is taken, and the head's output must have it.
#[test]
fn names_that_both_models_use_do_not_collide() {
    let extractor = small_extractor(true);
    let head = head(4, None);
    let joined = join(&extractor, "logits", &head.write().unwrap(), &limits()).unwrap();
    let input = noise(2 * 192, 9);
    let Some(features) = run_with_python(&extractor, &[2, 3, 8, 8], &input) else { return };
    let outputs = run_with_python(&joined, &[2, 3, 8, 8], &input).unwrap();
    let expected = run_with_python(&head.write().unwrap(), &[2, 4], &features["logits"]).unwrap();
    assert_close(&outputs["probs"], &expected["probs"], 1e-5);
}

#[test]
fn a_joined_model_of_the_test_data_gives_the_head_of_its_features() {
    let Some(extractor) = shared_model("mobilenet_v1_0.25_128.onnx") else { return };
    let head = head(256, Some(16));
    let joined = join(&extractor, "features", &head.write().unwrap(), &limits()).unwrap();
    assert!(joined.len() < extractor.len() - 900_000, "the classifier of 1001 x 256 weights is left out");
    assert_joined(&extractor, &head, &joined, &[2, 3, 128, 128]);
}

fn assert_joined(extractor: &[u8], head: &Head, joined: &[u8], dims: &[usize]) {
    let input = noise(dims.iter().product(), 7);
    let Some(features) = run_with_python(extractor, dims, &input) else { return };
    let features = &features["features"];
    let expected = run_with_python(&head.write().unwrap(), &[dims[0], features.len() / dims[0]], features).unwrap();
    let outputs = run_with_python(joined, dims, &input).unwrap();
    assert_eq!(outputs.len(), 2);
    for name in ["probs", "logits"] {
        assert_close(&outputs[name], &expected[name], 1e-5);
    }
}

#[test]
fn models_that_do_not_fit_are_not_joined() {
    let extractor = small_extractor(true);
    let join = |output: &str, head: &[u8]| join(&extractor, output, head, &limits()).unwrap_err();
    let error = join("features", &head(7, None).write().unwrap()).to_string();
    assert_eq!(error, "the extractor gives features float32 [batch, 6], and the head takes features float32 [N, 7]");
    let error = join("feature", &head(6, None).write().unwrap()).to_string();
    assert_eq!(error, "the model has no output \"feature\": it has features, probs, logits");
    // A model without `probs` and `logits` is no head.
    let body = prune(&extractor, &["features"], &limits()).unwrap();
    assert!(matches!(join("features", &body), OnnxError::NoSuchOutput { .. }));
}

#[test]
fn a_pruned_model_gives_the_same_and_has_no_more_than_it_needs() {
    let extractor = small_extractor(true);
    let pruned = prune(&extractor, &["features"], &limits()).unwrap();
    let facts = check(&pruned, &limits()).unwrap();
    assert_eq!((names(&facts.outputs), facts.nodes), (vec!["features"], 4));
    assert_eq!(prune(&extractor, &["features", "probs", "logits"], &limits()).unwrap(), extractor);
    let input = noise(192, 3);
    let Some(whole) = run_with_python(&extractor, &[1, 3, 8, 8], &input) else { return };
    let part = run_with_python(&pruned, &[1, 3, 8, 8], &input).unwrap();
    assert_eq!(part["features"], whole["features"]);
}

#[test]
fn a_tail_gives_the_same_of_the_features_as_the_whole_model() {
    for flat in [true, false] {
        let extractor = small_extractor(flat);
        let tail = tail(&extractor, "features", &["probs"], &limits()).unwrap();
        let facts = check(&tail, &limits()).unwrap();
        assert_eq!((names(&facts.inputs), names(&facts.outputs)), (vec!["features"], vec!["probs"]));
        assert_eq!(facts.nodes, if flat { 2 } else { 3 });
        assert!(tail.len() < extractor.len() - 4 * 6 * 27, "the convolution's weights are not part of it");
        let Some(whole) = run_with_python(&extractor, &[2, 3, 8, 8], &noise(384, 3)) else { return };
        let dims = if flat { &[2, 6][..] } else { &[2, 6, 1, 1] };
        let part = run_with_python(&tail, dims, &whole["features"]).unwrap();
        assert_eq!(part["probs"], whole["probs"]);
    }
}

#[test]
fn a_tail_begins_before_features_that_are_flattened_beside_what_follows_them() {
    let mut graph = GraphBuilder::new("branched");
    let dims = |rest: &[u64]| -> Vec<Dim> {
        std::iter::once(Dim::symbol("N")).chain(rest.iter().copied().map(Dim::Fixed)).collect()
    };
    graph.input(&ValueFacts::float32("input", &dims(&[3, 8, 8])));
    graph.global_average_pool("pool", "input").flatten("features", "pool");
    let window = Window { kernel: 1, stride: 1, pad: 0 };
    graph.constant("weight", &[4, 3, 1, 1], &noise(12, 3)).constant("bias", &[4], &noise(4, 4));
    graph.conv("conv", ["pool", "weight", "bias"], window, 1).flatten("logits", "conv").softmax("probs", "logits");
    graph.output(&ValueFacts::float32("pool", &dims(&[3, 1, 1]))).output(&ValueFacts::float32("features", &dims(&[3])));
    graph.output(&ValueFacts::float32("probs", &dims(&[4])));
    let model = graph.finish();
    let part = tail(&model, "features", &["probs"], &limits()).unwrap();
    assert_eq!(names(&check(&part, &limits()).unwrap().inputs), ["pool"]);
    let Some(whole) = run_with_python(&model, &[2, 3, 8, 8], &noise(384, 3)) else { return };
    let probs = run_with_python(&part, &[2, 3, 1, 1], &whole["features"]).unwrap();
    assert_eq!(probs["probs"], whole["probs"]);
}

#[test]
fn a_value_through_which_not_everything_goes_has_no_tail() {
    let tail = |from: &str, output: &str| tail(&small_extractor(true), from, &[output], &limits()).unwrap_err();
    assert_eq!(tail("probs", "logits").to_string(), "the outputs need the input \"input\" too, and not only \"probs\"");
    assert_eq!(tail("pool", "probs").to_string(), "the model does not state the type and shape of \"pool\"");
    assert!(matches!(tail("features", "classes"), OnnxError::NoSuchOutput { .. }));
}

#[test]
fn facts_of_the_test_data_are_as_its_manifest_says() {
    for (name, side, features) in [
        ("mobilenet_v2_1.0_224.onnx", 224, 1280),
        ("mobilenet_v1_0.25_128.onnx", 128, 256),
        ("darknet_tiny_224.onnx", 224, 128),
    ] {
        let Some(bytes) = shared_model(name) else { return };
        let facts = check(&bytes, &limits()).unwrap();
        let [input] = &facts.inputs[..] else { panic!("{:?}", facts.inputs) };
        assert_eq!((input.name.as_str(), input.element), ("input", Some(ElementType::FLOAT32)));
        let dims = [Dim::symbol("N"), Dim::Fixed(3), Dim::Fixed(side), Dim::Fixed(side)];
        assert_eq!(input.dims.as_deref(), Some(&dims[..]));
        assert_eq!(names(&facts.outputs), ["probs", "logits", "features"]);
        assert_eq!(facts.outputs[2].dims, Some(vec![Dim::symbol("N"), Dim::Fixed(features)]));
        assert_eq!(facts.opsets, [(String::new(), 13)]);
    }
}

#[test]
fn every_operator_of_the_builder_is_one_that_onnx_runtime_runs() {
    let mut graph = GraphBuilder::new("all");
    let dims = [Dim::symbol("N"), Dim::Fixed(2), Dim::Fixed(4), Dim::Fixed(4)];
    graph.input(&ValueFacts::float32("x", &dims));
    let window = headwater_onnx::graph::Window { kernel: 2, stride: 2, pad: 0 };
    graph.max_pool("pool", "x", window).flatten("flat", "pool");
    graph.output(&ValueFacts::float32("flat", &[Dim::symbol("N"), Dim::Fixed(8)]));
    let input: Vec<f32> = (0_u8..32).map(f32::from).collect();
    let Some(outputs) = run_with_python(&graph.finish(), &[1, 2, 4, 4], &input) else { return };
    assert_eq!(outputs["flat"], [5.0, 7.0, 13.0, 15.0, 21.0, 23.0, 29.0, 31.0]);
}
