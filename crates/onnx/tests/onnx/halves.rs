//! The two halves of a network are models that plain ONNX Runtime loads, and one after the other they compute what the
//! whole network does: at every cut of every network.

use std::io::{Read as _, Write as _};
use std::process::{ChildStdin, Command, Stdio};

use headwater_onnx::graph::Window;
use headwater_onnx::{Dim, GraphBuilder, Limits, Network, OnnxError, ValueFacts, check, expose, split, stated};

use crate::support::{noise, python, run_with_python, shared_model, small_extractor};

/// Runs a network and pairs of halves, which come one after the other: for each the largest difference of any output
/// from the whole network's, and whether the largest elements of all outputs are at the same places.
const SCRIPT: &str = "
import json, sys, numpy, onnxruntime
onnxruntime.set_default_logger_severity(3)
source = sys.stdin.buffer
def part():
    return source.read(int.from_bytes(source.read(8), 'little'))
def run(model, fed):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options)
    names = sorted(i.name for i in session.get_inputs())
    assert names == sorted(fed), (list(fed), names)
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, fed)))
outputs, dims, name = json.loads(part())
x = {name: numpy.frombuffer(part(), 'float32').reshape(dims)}
whole = run(part(), x)
results = []
while front := part():
    values = run(front, x)
    made = run(part(), values)
    assert sorted(made) == sorted(outputs), made.keys()
    difference = max(float(numpy.abs(made[o] - whole[o]).max()) for o in outputs)
    scores = [o for o in outputs if o != 'features']
    alike = all((made[o].argmax(-1) == whole[o].argmax(-1)).all() for o in scores)
    results.append([difference, bool(alike)])
print(json.dumps(results))
";

/// Bytes of one image's value, where its axes are stated: the first is the batch's.
fn bytes_of(facts: &[ValueFacts], name: &str) -> Option<u64> {
    let dims = facts.iter().find(|value| value.name == name)?.dims.as_ref()?;
    let fixed = dims.iter().skip(1).map(|dim| if let Dim::Fixed(length) = dim { Some(*length) } else { None });
    Some(4 * fixed.collect::<Option<Vec<_>>>()?.iter().product::<u64>())
}

fn send(python: &mut ChildStdin, part: &[u8]) {
    python.write_all(&(part.len() as u64).to_le_bytes()).unwrap();
    python.write_all(part).unwrap();
}

/// Splits a network at every cut, and holds the halves against the whole; the number of cuts. `None` without Python.
fn check_every_cut(model: &[u8], outputs: &[&str], dims: &[usize]) -> Option<usize> {
    let facts = stated(model, &Limits::default()).unwrap();
    let network = Network::read(model, outputs, &Limits::default()).unwrap();
    let found = network.cuts(|name| bytes_of(&facts, name));
    assert_eq!(found.not_searched, 0);
    let mut child =
        Command::new(python()?).args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    send(&mut stdin, serde_json::json!([outputs, dims, network.input()]).to_string().as_bytes());
    let input = noise(dims.iter().product(), 7);
    send(&mut stdin, &input.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>());
    send(&mut stdin, model);
    for cut in &found.cuts {
        let fact = |name: &String| facts.iter().find(|value| value.name == *name).unwrap().clone();
        let at: Vec<_> = cut.values.iter().map(fact).collect();
        let halves = split(model, outputs, &at, &Limits::default()).unwrap();
        let (front, back) = (check(&halves.front, &Limits::default()), check(&halves.back, &Limits::default()));
        assert!(front.unwrap().nodes + back.unwrap().nodes <= check(model, &Limits::default()).unwrap().nodes);
        assert!(halves.front.len() + halves.back.len() < model.len() + (64 << 10), "weights are divided");
        send(&mut stdin, &halves.front);
        send(&mut stdin, &halves.back);
    }
    send(&mut stdin, &[]);
    drop(stdin);
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert!(child.wait().unwrap().success(), "{printed}");
    let results: Vec<(f64, bool)> = serde_json::from_str(&printed).unwrap();
    assert_eq!(results.len(), found.cuts.len());
    let worst = results.iter().map(|(difference, _)| *difference).fold(0.0, f64::max);
    println!("{} cuts to {outputs:?}, at most {worst:e} apart", results.len());
    for ((difference, alike), cut) in results.iter().zip(&found.cuts) {
        assert!(*difference <= 1e-5 && *alike, "{:?}: {difference:e} apart, the same top-1: {alike}", cut.values);
    }
    Some(results.len())
}

#[test]
fn halves_of_the_test_datas_networks_compute_what_the_whole_does_at_every_cut() {
    for (name, side, least) in [
        ("mobilenet_v2_1.0_224.onnx", 224, 30),
        ("mobilenet_v1_1.0_224.onnx", 224, 27),
        ("mobilenet_v1_0.25_128.onnx", 128, 27),
        ("darknet_tiny_224.onnx", 224, 18),
    ] {
        let Some(model) = shared_model(name) else { continue };
        for outputs in [&["probs", "logits"][..], &["features"]] {
            let Some(cuts) = check_every_cut(&model, outputs, &[2, 3, side, side]) else { return };
            assert!(cuts >= least, "{name}: {cuts} cuts to {outputs:?}");
        }
    }
}

#[test]
fn halves_of_a_generated_network_with_cuts_of_several_values_compute_what_the_whole_does() {
    let mut graph = GraphBuilder::new("fork");
    let dims = |rest: &[u64]| -> Vec<Dim> {
        std::iter::once(Dim::symbol("N")).chain(rest.iter().copied().map(Dim::Fixed)).collect()
    };
    graph.input(&ValueFacts::float32("input", &dims(&[3, 8, 8])));
    let (same, half) = (Window { kernel: 3, stride: 1, pad: 1 }, Window { kernel: 2, stride: 2, pad: 0 });
    graph.constant("w", &[6, 3, 3, 3], &noise(162, 3)).constant("b", &[6], &noise(6, 4));
    graph.conv("c", ["input", "w", "b"], same, 1).relu("wide", "c");
    graph.max_pool("small", "wide", half).global_average_pool("mean", "wide").relu("side", "mean");
    graph.global_average_pool("left", "small").operator("Concat", &["left", "side"], "both", &[("axis", 1)]);
    graph.flatten("features", "both");
    graph.output(&ValueFacts::float32("features", &dims(&[12])));
    let mut model = graph;
    for (name, rest) in [("wide", &[6, 8, 8][..]), ("small", &[6, 4, 4]), ("left", &[6, 1, 1]), ("mean", &[6, 1, 1])] {
        model.value(&ValueFacts::float32(name, &dims(rest)));
    }
    model
        .value(&ValueFacts::float32("side", &dims(&[6, 1, 1])))
        .value(&ValueFacts::float32("both", &dims(&[12, 1, 1])));
    let model = model.finish();
    if let Some(cuts) = check_every_cut(&model, &["features"], &[2, 3, 8, 8]) {
        assert_eq!(cuts, 2, "behind the activation, and where both branches are one number a channel");
    }
}

#[test]
fn a_value_through_which_not_everything_goes_is_no_cut() {
    let model = small_extractor(true);
    let split_at = |name: &str, outputs: &[&str]| {
        let at = ValueFacts::float32(name, &[Dim::symbol("N"), Dim::Fixed(6)]);
        split(&model, outputs, &[at], &Limits::default()).unwrap_err().to_string()
    };
    assert!(split_at("nowhere", &["probs"]).contains("\"nowhere\""));
    assert!(split_at("probs", &["probs"]).contains("it is no cut"));
    let error = split(&model, &["other"], &[], &Limits::default()).unwrap_err();
    assert!(matches!(error, OnnxError::NoSuchOutput { .. }));
    let error = split(&model, &["probs"], &[], &Limits::default()).unwrap_err().to_string();
    assert!(error.contains("need the input"), "{error}");
}

#[test]
fn any_value_can_be_looked_at() {
    let model = small_extractor(true);
    let unknown = ValueFacts { name: "pool".to_owned(), element: None, dims: None };
    let exposed = expose(&model, &[unknown], &Limits::default()).unwrap();
    let Some(outputs) = run_with_python(&exposed, &[2, 3, 8, 8], &noise(384, 3)) else { return };
    assert_eq!((outputs.len(), outputs["pool"].len()), (1, 12));
}
