use super::*;
use crate::wire::Writer;

fn model_with(graph: &[u8], more: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::default();
    out.number(model::IR_VERSION, 8);
    crate::graph::write_opset(&mut out, "", 13);
    out.bytes(model::GRAPH, graph);
    more(&mut out);
    out.finish()
}

fn message(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::default();
    write(&mut out);
    out.finish()
}

fn node_of(domain: &str, op: &str, attribute_field: Option<(u32, &[u8])>) -> Vec<u8> {
    message(|out| {
        out.text(node::OP_TYPE, op);
        out.text(node::DOMAIN, domain);
        if let Some((number, bytes)) = attribute_field {
            out.message(node::ATTRIBUTE, |out| out.bytes(number, bytes));
        }
    })
}

fn graph_of_one(number: u32, part: &[u8]) -> Vec<u8> {
    message(|out| out.bytes(number, part))
}

fn refusal(model: &[u8]) -> OnnxError {
    check(model, &Limits::default()).unwrap_err()
}

fn external() -> Vec<u8> {
    message(|out| {
        out.text(tensor::NAME, "w");
        out.number(tensor::DATA_LOCATION, 1);
    })
}

#[test]
fn data_outside_the_file_is_found_wherever_it_hides() {
    let by_entry = message(|out| {
        out.text(tensor::NAME, "w");
        out.message(tensor::EXTERNAL_DATA, |out| out.text(entry::KEY, "location"));
    });
    for tensor in [external(), by_entry] {
        let constant = node_of("", "Constant", Some((attribute::TENSOR, &tensor)));
        let several = node_of("", "Constant", Some((attribute::TENSORS, &tensor)));
        let inner = graph_of_one(graph::INITIALIZER, &tensor);
        let branch = node_of("", "If", Some((attribute::GRAPH, &inner)));
        let branches = node_of("", "If", Some((attribute::GRAPHS, &graph_of_one(graph::NODE, &branch))));
        let in_graph = [
            graph_of_one(graph::INITIALIZER, &tensor),
            graph_of_one(graph::NODE, &constant),
            graph_of_one(graph::NODE, &several),
            graph_of_one(graph::NODE, &branch),
            graph_of_one(graph::NODE, &branches),
        ];
        let function = message(|out| out.bytes(function::NODE, &constant));
        let default = message(|out| {
            out.message(function::ATTRIBUTE_PROTO, |out| out.bytes(attribute::TENSOR, &tensor));
        });
        let in_function = [function, default].map(|f| model_with(&[], |out| out.bytes(model::FUNCTIONS, &f)));
        for model in in_graph.iter().map(|graph| model_with(graph, |_| {})).chain(in_function) {
            assert_eq!(refusal(&model), OnnxError::ExternalData { name: "w".to_owned() });
        }
    }
}

#[test]
fn operators_that_onnx_does_not_define_are_refused() {
    for domain in ["com.microsoft", "evil", "ai.onnx.training"] {
        let custom = node_of(domain, "Gelu", None);
        let inner = node_of("", "If", Some((attribute::GRAPH, &graph_of_one(graph::NODE, &custom))));
        for node in [&custom, &inner] {
            let error = refusal(&model_with(&graph_of_one(graph::NODE, node), |_| {}));
            assert_eq!(error, OnnxError::CustomOperator { op_type: "Gelu".to_owned(), domain: domain.to_owned() });
        }
    }
    for domain in ["", "ai.onnx", "ai.onnx.ml"] {
        let model = model_with(&graph_of_one(graph::NODE, &node_of(domain, "Relu", None)), |_| {});
        assert_eq!(check(&model, &Limits::default()).unwrap().nodes, 1);
    }
}

#[test]
fn a_function_of_the_model_may_be_called_but_may_not_call() {
    let function = |calls: &[u8]| {
        message(|out| {
            out.text(function::DOMAIN, "local");
            out.text(function::NAME, "f");
            out.bytes(function::NODE, calls);
        })
    };
    let call = graph_of_one(graph::NODE, &node_of("local", "f", None));
    let plain = function(&node_of("", "Relu", None));
    let model = model_with(&call, |out| out.bytes(model::FUNCTIONS, &plain));
    assert_eq!(check(&model, &Limits::default()).unwrap().nodes, 2);
    let recursive = function(&node_of("local", "f", None));
    let error = refusal(&model_with(&call, |out| out.bytes(model::FUNCTIONS, &recursive)));
    assert!(matches!(error, OnnxError::CustomOperator { .. }));
}

fn packed_varint(value: u64) -> Vec<u8> {
    // A field of number 1 is one byte of tag, then the number.
    message(|out| out.number(1, value)).split_off(1)
}

#[test]
fn a_tensor_cannot_be_larger_than_its_bytes() {
    for dims in [&[1_u64 << 40][..], &[1 << 20, 1 << 20], &[u64::MAX], &[1 << 33, 1 << 33]] {
        let bomb = message(|out| {
            dims.iter().for_each(|dim| out.number(tensor::DIMS, *dim));
            out.text(tensor::NAME, "w");
        });
        let packed = message(|out| {
            let numbers: Vec<u8> = dims.iter().flat_map(|dim| packed_varint(*dim)).collect();
            out.bytes(tensor::DIMS, &numbers);
            out.text(tensor::NAME, "w");
        });
        for tensor in [bomb, packed] {
            let model = model_with(&graph_of_one(graph::INITIALIZER, &tensor), |_| {});
            assert!(matches!(refusal(&model), OnnxError::TensorSize { .. }), "{dims:?}");
        }
    }
}

#[test]
fn nesting_and_counts_are_limited() {
    let limits = Limits { max_nodes: 10, max_depth: 3, max_ports: 2, ..Limits::default() };
    let nested = |depth: usize| {
        let mut graph = Vec::new();
        for _ in 0..depth {
            graph = graph_of_one(graph::NODE, &node_of("", "If", Some((attribute::GRAPH, &graph))));
        }
        model_with(&graph, |_| {})
    };
    check(&nested(3), &limits).unwrap();
    let error = check(&nested(4), &limits).unwrap_err();
    assert_eq!(error, OnnxError::TooMany { what: "graphs within graphs", limit: 3 });
    assert!(matches!(refusal(&nested(5_000)), OnnxError::TooMany { .. }));
    let wide = message(|out| (0..11).for_each(|_| out.bytes(graph::NODE, &[])));
    assert!(matches!(check(&model_with(&wide, |_| {}), &limits), Err(OnnxError::TooMany { limit: 10, .. })));
    let ports = message(|out| (0..3).for_each(|_| out.bytes(graph::OUTPUT, &[])));
    let error = check(&model_with(&ports, |_| {}), &limits).unwrap_err();
    assert_eq!(error, OnnxError::TooMany { what: "outputs", limit: 2 });
    let small = Limits { max_bytes: ByteCount::new(3), ..limits };
    assert!(matches!(check(&[0; 4], &small), Err(OnnxError::TooLarge { .. })));
}

#[test]
fn a_million_empty_nodes_are_refused_without_being_kept() {
    let bomb = [graph::NODE as u8 * 8 + 2, 0].repeat(8 << 20);
    let error = refusal(&model_with(&bomb, |_| {}));
    assert!(matches!(error, OnnxError::TooMany { what: "operators and tensors", .. }));
}

#[test]
fn what_is_not_a_model_of_ours_is_named() {
    let opset = |version| {
        message(|out| {
            crate::graph::write_opset(out, "ai.onnx", version);
            out.bytes(model::GRAPH, &[]);
        })
    };
    assert!(check(&opset(17), &Limits::default()).is_ok());
    for version in [0, 6, 27, 999] {
        assert!(matches!(refusal(&opset(version)), OnnxError::Opset { .. }), "{version}");
    }
    assert!(matches!(refusal(&message(|out| out.bytes(model::GRAPH, &[]))), OnnxError::Opset { version: 0, .. }));
    let training = model_with(&[], |out| out.bytes(model::TRAINING_INFO, &[]));
    assert_eq!(refusal(&training), OnnxError::Unsupported("training information"));
    let sparse = model_with(&graph_of_one(graph::SPARSE_INITIALIZER, &[]), |_| {});
    assert_eq!(refusal(&sparse), SPARSE);
    assert!(matches!(refusal(b"\x89PNG\r\n\x1a\n"), OnnxError::Malformed(_)));
    assert!(matches!(refusal(&model_with(&[], |out| out.bytes(model::GRAPH, &[]))), OnnxError::Malformed(_)));
}

#[test]
fn an_input_with_an_initial_value_need_not_be_fed() {
    let graph = message(|out| {
        for name in ["x", "w"] {
            out.message(graph::INPUT, |out| ValueFacts::float32(name, &[]).write(out));
        }
        out.message(graph::INITIALIZER, |out| out.text(tensor::NAME, "w"));
    });
    let facts = check(&model_with(&graph, |_| {}), &Limits::default()).unwrap();
    assert_eq!(facts.inputs, [ValueFacts::float32("x", &[])]);
}
