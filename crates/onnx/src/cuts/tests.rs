use super::*;
use crate::graph::{GraphBuilder, Window};
use crate::value::{Dim, ValueFacts};

const WINDOW: Window = Window { kernel: 1, stride: 1, pad: 0 };

/// A graph from the input `x` to these outputs.
fn model(outputs: &[&str], build: impl FnOnce(&mut GraphBuilder)) -> Vec<u8> {
    let mut graph = GraphBuilder::new("cuts");
    let dims = [Dim::symbol("N"), Dim::Fixed(1), Dim::Fixed(1), Dim::Fixed(1)];
    graph.input(&ValueFacts::float32("x", &dims));
    graph.constant("w", &[1, 1, 1, 1], &[1.0]).constant("b", &[1], &[0.0]);
    build(&mut graph);
    for output in outputs {
        graph.output(&ValueFacts::float32(output, &dims));
    }
    graph.finish()
}

fn conv(graph: &mut GraphBuilder, output: &str, input: &str) {
    graph.conv(output, [input, "w", "b"], WINDOW, 1);
}

/// The cuts by their values, with a comma between those of one cut; bytes are 10 but for these.
fn cuts_of(model: &[u8], outputs: &[&str], bytes: &[(&str, u64)]) -> Vec<String> {
    let network = Network::read(model, outputs, &Limits::default()).unwrap();
    let of = |name: &str| Some(bytes.iter().find(|(known, _)| *known == name).map_or(10, |(_, bytes)| *bytes));
    let cuts = network.cuts(of).cuts;
    assert!(cuts.is_sorted_by_key(|cut| cut.operators), "{cuts:?}");
    cuts.into_iter().map(|cut| cut.values.join(",")).collect()
}

#[test]
fn a_chain_is_cut_behind_each_group_that_becomes_one_operator() {
    let chain = model(&["y"], |graph| {
        conv(graph, "c1", "x");
        graph.operator("Clip", &["c1"], "a1", &[]).max_pool("p", "a1", WINDOW);
        conv(graph, "c2", "p");
        graph.operator("BatchNormalization", &["c2", "b", "b", "b", "b"], "n2", &[]).relu("a2", "n2");
        graph.global_average_pool("g", "a2").flatten("y", "g");
    });
    assert_eq!(cuts_of(&chain, &["y"], &[]), ["a1", "p", "a2"]);
}

#[test]
fn activations_that_are_written_out_stay_whole() {
    let silu = model(&["y"], |graph| {
        conv(graph, "c", "x");
        graph.operator("Sigmoid", &["c"], "s", &[]).operator("Mul", &["c", "s"], "m", &[]);
        graph.operator("HardSigmoid", &["m"], "h", &[]).operator("Mul", &["m", "h"], "z", &[]);
        graph.max_pool("y", "z", WINDOW);
    });
    assert_eq!(cuts_of(&silu, &["y"], &[]), ["z"]);
    let gelu = model(&["y"], |graph| {
        graph.operator("MatMul", &["x", "w"], "p", &[]).operator("Add", &["p", "b"], "i", &[]);
        graph.operator("Div", &["i", "b"], "d", &[]).operator("Erf", &["d"], "e", &[]);
        graph.operator("Add", &["e", "b"], "o", &[]).operator("Mul", &["i", "o"], "t", &[]);
        graph.operator("Mul", &["t", "b"], "gelu", &[]).operator("MatMul", &["gelu", "w"], "y", &[]);
    });
    assert_eq!(cuts_of(&gelu, &["y"], &[]), ["gelu"]);
}

#[test]
fn a_residual_stream_is_cut_before_a_normalisation_and_not_within() {
    let block = model(&["y"], |graph| {
        graph.operator("MatMul", &["x", "w"], "p", &[]).operator("Add", &["p", "x"], "stream", &[]);
        graph.operator("ReduceMean", &["stream"], "mean", &[]).operator("Sub", &["stream", "mean"], "d", &[]);
        graph.operator("Pow", &["d", "b"], "sq", &[]).operator("ReduceMean", &["sq"], "var", &[]);
        graph.operator("Add", &["var", "b"], "eps", &[]).operator("Sqrt", &["eps"], "std", &[]);
        graph.operator("Div", &["d", "std"], "normal", &[]).operator("MatMul", &["normal", "w"], "q", &[]);
        graph.operator("Add", &["q", "stream"], "y", &[]);
    });
    assert_eq!(cuts_of(&block, &["y"], &[]), ["stream"]);
}

#[test]
fn a_residual_block_is_cut_at_its_ends_and_within_only_where_that_is_fewer_bytes() {
    let block = model(&["y"], |graph| {
        conv(graph, "c1", "x");
        graph.relu("in", "c1");
        conv(graph, "narrow", "in");
        graph.max_pool("n", "narrow", WINDOW);
        conv(graph, "wide", "n");
        graph.operator("Add", &["wide", "in"], "sum", &[]).relu("out", "sum").max_pool("y", "out", WINDOW);
    });
    assert_eq!(cuts_of(&block, &["y"], &[]), ["in", "out"]);
    // A stream beside a branch is never fewer bytes than the stream alone.
    assert_eq!(cuts_of(&block, &["y"], &[("n", 1)]), ["in", "out"]);
    let fork = model(&["y"], |graph| {
        graph.max_pool("s", "x", WINDOW).max_pool("l", "s", WINDOW).global_average_pool("r", "s");
        graph.max_pool("l2", "l", WINDOW).operator("Concat", &["l2", "r"], "y", &[("axis", 1)]);
    });
    let bytes = [("s", 100), ("l", 7), ("r", 2), ("l2", 8)];
    assert_eq!(cuts_of(&fork, &["y"], &bytes), ["s", "l,r"]);
    assert_eq!(cuts_of(&fork, &["y"], &[("s", 9), ("l", 7), ("r", 2), ("l2", 8)]), ["s"]);
}

#[test]
fn with_two_outputs_a_cut_separates_both() {
    let both = model(&["f", "p"], |graph| {
        graph.max_pool("a", "x", WINDOW).global_average_pool("f", "a").max_pool("c", "a", WINDOW).relu("p", "c");
    });
    assert_eq!(cuts_of(&both, &["f", "p"], &[]), ["a"]);
    assert_eq!(cuts_of(&both, &["p"], &[]), ["a", "c"]);
}

#[test]
fn what_is_quantised_is_cut_where_it_is_small() {
    let quantised = model(&["y"], |graph| {
        graph.operator("DequantizeLinear", &["x", "b"], "d", &[]);
        conv(graph, "c", "d");
        graph.operator("QuantizeLinear", &["c", "b"], "q", &[]).operator("DequantizeLinear", &["q", "b"], "e", &[]);
        graph.max_pool("m", "e", WINDOW).operator("QuantizeLinear", &["m", "b"], "y", &[]);
    });
    assert_eq!(cuts_of(&quantised, &["y"], &[]), ["q"]);
}

#[test]
fn values_of_unknown_size_are_no_cuts() {
    let chain = model(&["y"], |graph| {
        graph.max_pool("a", "x", WINDOW).max_pool("b2", "a", WINDOW).max_pool("y", "b2", WINDOW);
    });
    let network = Network::read(&chain, &["y"], &Limits::default()).unwrap();
    let cuts = network.cuts(|name| (name != "a").then_some(4));
    assert_eq!(cuts.cuts, [Cut { values: vec!["b2".to_owned()], bytes: 4, operators: 2 }]);
    assert_eq!((network.input(), network.operators()), ("x", 3));
    assert_eq!(network.values().collect::<Vec<_>>(), ["a", "b2", "y"]);
}

#[test]
fn the_peak_is_what_is_held_at_once() {
    let fork = model(&["y"], |graph| {
        graph.max_pool("s", "x", WINDOW).max_pool("l", "s", WINDOW).max_pool("r", "s", WINDOW);
        graph.operator("Add", &["l", "r"], "y", &[]);
    });
    let network = Network::read(&fork, &["y"], &Limits::default()).unwrap();
    let sizes = |name: &str| Some(if name == "x" { 1 } else { 10 });
    assert_eq!(network.peak(&["s".to_owned()], sizes), 11);
    assert_eq!(network.peak(&["l".to_owned()], sizes), 20);
    assert_eq!(network.peak(&["l".to_owned(), "r".to_owned()], sizes), 30);
}

#[test]
fn what_cannot_be_cut_is_refused_by_name() {
    let loops = model(&["y"], |graph| {
        graph.operator("Loop", &["x"], "y", &[]);
    });
    let error = Network::read(&loops, &["y"], &Limits::default()).unwrap_err();
    assert!(matches!(&error, OnnxError::ControlFlow { op_type, name } if op_type == "Loop" && name == "y"), "{error}");
    let unsorted = model(&["y"], |graph| {
        graph.relu("y", "a").relu("a", "x").operator("Add", &["y", "x"], "z", &[]);
    });
    let error = Network::read(&unsorted, &["y"], &Limits::default()).unwrap_err().to_string();
    assert!(error.contains("\"a\"") || error.contains("\"y\""), "{error}");
    let constant = model(&["y"], |graph| {
        graph.relu("y", "b");
    });
    assert!(matches!(Network::read(&constant, &["y"], &Limits::default()), Err(OnnxError::Shape(_))));
    assert!(matches!(Network::read(&loops, &["z"], &Limits::default()), Err(OnnxError::NoSuchOutput { .. })));
}

#[test]
fn a_chain_as_long_as_a_deep_network_is_searched() {
    let long = model(&["y"], |graph| {
        let name = |place: usize| format!("v{place}");
        graph.max_pool("v0", "x", WINDOW).max_pool("side", "x", WINDOW);
        for place in 1..1500 {
            graph.max_pool(&name(place), &name(place - 1), WINDOW);
        }
        graph.operator("Add", &["v1499", "side"], "y", &[]);
    });
    let sizes: Vec<_> = [("v700", 2), ("side", 1)].into();
    assert_eq!(cuts_of(&long, &["y"], &sizes), ["side,v700"]);
}
