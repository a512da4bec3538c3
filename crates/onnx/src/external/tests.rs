use super::*;
use crate::check::check;
use crate::graph::GraphBuilder;
use crate::value::{Dim, ValueFacts};

type Entries<'e> = &'e [(&'e str, &'e str)];

const WHOLE: Entries<'_> = &[("location", "m.data"), ("offset", "4"), ("length", "8")];

fn model(entries: Entries<'_>) -> Vec<u8> {
    let value = |name: &str| ValueFacts::float32(name, &[Dim::symbol("N"), Dim::Fixed(2)]);
    let mut graph = GraphBuilder::new("external");
    graph.input(&value("x")).outside("w", &[2], entries).operator("Add", &["x", "w"], "y", &[]).output(&value("y"));
    graph.finish()
}

fn refusal(entries: Entries<'_>) -> String {
    outside(&model(entries), &Limits::default()).unwrap_err().to_string()
}

#[test]
fn a_model_with_its_data_taken_in_is_the_one_that_was_saved_as_one_file() {
    let (limits, model) = (Limits::default(), model(WHOLE));
    let found = outside(&model, &limits).unwrap();
    assert_eq!(found, [Outside { tensor: "w", location: "m.data", offset: 4, length: 8 }]);
    let data: Vec<u8> = [1.5_f32, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let whole = take_in(&model, vec![data.clone()], &limits).unwrap();
    let value = |name: &str| ValueFacts::float32(name, &[Dim::symbol("N"), Dim::Fixed(2)]);
    let mut graph = GraphBuilder::new("external");
    graph.input(&value("x")).constant("w", &[2], &[1.5, -2.0]).operator("Add", &["x", "w"], "y", &[]);
    assert_eq!(whole, graph.output(&value("y")).finish());
    assert_eq!(outside(&whole, &limits).unwrap(), []);
    assert_eq!(take_in(&whole, Vec::new(), &limits).unwrap(), whole);
    let other = take_in(&model, vec![[&data[..7], &[9]].concat()], &limits).unwrap();
    assert_ne!(check(&other, &limits).unwrap().digest, check(&whole, &limits).unwrap().digest);
    for wrong in [vec![], vec![data[..7].to_vec()], vec![data.clone(), data]] {
        assert!(take_in(&model, wrong, &limits).is_err());
    }
}

#[test]
fn data_are_found_wherever_a_tensor_is() {
    use crate::schema::{attribute, function, graph, model, node};
    use crate::wire::Writer;
    let message = |number: u32, bytes: &[u8]| {
        let mut out = Writer::default();
        out.bytes(number, bytes);
        out.finish()
    };
    let mut builder = GraphBuilder::new("");
    builder.outside("w", &[2], WHOLE);
    let initialiser = builder.into_fields();
    let tensor = fields(&initialiser).next().unwrap().unwrap().bytes().unwrap().to_vec();
    let constant = message(node::ATTRIBUTE, &message(attribute::TENSOR, &tensor));
    let branch = message(node::ATTRIBUTE, &message(attribute::GRAPH, &initialiser));
    let default = message(function::ATTRIBUTE_PROTO, &message(attribute::TENSORS, &tensor));
    let places = [
        message(model::GRAPH, &initialiser),
        message(model::GRAPH, &message(graph::NODE, &constant)),
        message(model::GRAPH, &message(graph::NODE, &branch)),
        message(model::FUNCTIONS, &message(function::NODE, &constant)),
        message(model::FUNCTIONS, &default),
    ];
    for model in places {
        assert_eq!(outside(&model, &Limits::default()).unwrap().len(), 1);
        let whole = take_in(&model, vec![vec![7; 8]], &Limits::default()).unwrap();
        assert!(whole.windows(8).any(|window| window == [7; 8]));
        assert_eq!(outside(&whole, &Limits::default()).unwrap(), []);
    }
}

#[test]
fn only_a_name_in_the_models_folder_is_a_place() {
    for location in ["m.data", "./m.data", "m data", "..m", "größe.bin"] {
        assert!(outside(&model(&[("location", location)]), &Limits::default()).is_ok(), "{location}");
    }
    for location in ["", ".", "..", "../m.data", "/etc/passwd", "a/m.data", "a/../m.data", "/", "//m", "m\0.data"] {
        let error = refusal(&[("location", location)]);
        assert!(error.contains("\"w\"") && error.contains("only files of the model's own folder"), "{error}");
    }
    assert!(refusal(&[("location", &"../".repeat(1000))]).len() < 400);
}

#[test]
fn offsets_and_lengths_are_numbers_that_fit_the_tensor() {
    let with = |key, value| refusal(&[("location", "m.data"), (key, value)]);
    for number in ["-1", "1e3", "", "18446744073709551616", "0x10"] {
        assert!(with("offset", number).contains("is no number of bytes"), "{number}");
        assert!(with("length", number).contains("is no number of bytes"), "{number}");
    }
    assert!(with("offset", "18446744073709551615").contains("where no file has bytes"));
    for length in ["7", "9", "18446744073709551615"] {
        assert!(with("length", length).contains("its axes take 8"), "{length}");
    }
    assert!(with("basepath", "/etc").contains("ONNX does not know"));
    assert!(with("location", "n.data").contains("twice"));
    assert!(refusal(&[]).contains("does not say in which"));
    assert!(outside(&model(&[("location", "m"), ("checksum", "abc")]), &Limits::default()).is_ok());
}

#[test]
fn a_model_that_would_be_too_large_is_refused_before_a_byte_is_read() {
    for dims in [&[1 << 40][..], &[1 << 29], &[1 << 33, 1 << 33]] {
        let mut graph = GraphBuilder::new("large");
        graph.outside("w", dims, &[("location", "m.data")]);
        let error = outside(&graph.finish(), &Limits::default()).unwrap_err();
        assert!(matches!(error, OnnxError::ExternalTooLarge { .. }), "{error}");
        assert!(error.to_string().contains("with the data beside it"), "{error}");
    }
    // Each is small; all together are not.
    let mut graph = GraphBuilder::new("many");
    for _ in 0..20 {
        graph.outside("w", &[1 << 25], &[("location", "m.data")]);
    }
    assert!(matches!(outside(&graph.finish(), &Limits::default()), Err(OnnxError::ExternalTooLarge { .. })));
    let few = Limits { max_nodes: 3, ..Limits::default() };
    assert!(matches!(outside(&graph.finish(), &few), Err(OnnxError::TooMany { limit: 3, .. })));
}
