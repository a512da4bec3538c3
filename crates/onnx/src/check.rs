//! The check that every model passes before anything else looks at it.

use std::collections::HashSet;

use headwater_types::{ByteCount, Digest};

use crate::error::OnnxError;
use crate::limits::Limits;
use crate::schema::{attribute, entry, function, graph, model, node, opset, tensor};
use crate::value::ValueFacts;
use crate::walk::{graph_of, text_in};
use crate::wire::{Payload, fields, varints};

/// What is known of a model that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFacts {
    /// BLAKE3 of the file.
    pub digest: Digest,
    /// Version of the file format.
    pub ir_version: u64,
    /// Imported operator sets: domain (empty for ONNX's own) and version.
    pub opsets: Vec<(String, u64)>,
    /// What must be fed: graph inputs that have no initial value.
    pub inputs: Vec<ValueFacts>,
    /// What can be asked for.
    pub outputs: Vec<ValueFacts>,
    /// Key and value, in the file's order.
    pub metadata: Vec<(String, String)>,
    /// Number of operators, those of subgraphs and functions included.
    pub nodes: usize,
}

/// Newest version of ONNX's own operators that ONNX Runtime 1.31 runs.
const NEWEST_OPSET: u64 = 26;
/// Oldest version that ONNX Runtime promises to run.
const OLDEST_OPSET: u64 = 7;
/// Newest version of the `ai.onnx.ml` operators.
const NEWEST_ML_OPSET: u64 = 5;
/// Packed most densely, four elements share a byte (`INT2`).
const MAX_ELEMENTS_PER_BYTE: u64 = 4;

/// Checks a model: size, structure, counts, nesting, no data outside the file, no operators but ONNX's own, a known
/// opset. Takes time linear in the bytes.
pub fn check(bytes: &[u8], limits: &Limits) -> Result<ModelFacts, OnnxError> {
    let actual = ByteCount::from(bytes.len());
    if actual > limits.max_bytes {
        return Err(OnnxError::TooLarge { actual, limit: limits.max_bytes });
    }
    let mut checker = Checker { limits, functions: HashSet::new(), parts: 0, nodes: 0 };
    let facts = checker.model(bytes)?;
    Ok(ModelFacts { digest: Digest::of(bytes), nodes: checker.nodes, ..facts })
}

/// They are made dense when they are loaded, at a size that their bytes do not bound.
const SPARSE: OnnxError = OnnxError::Unsupported("sparse tensors");

struct Checker<'a> {
    limits: &'a Limits,
    /// Domain and name of the functions that the model defines itself.
    functions: HashSet<(&'a str, &'a str)>,
    parts: usize,
    nodes: usize,
}

impl<'a> Checker<'a> {
    fn model(&mut self, bytes: &'a [u8]) -> Result<ModelFacts, OnnxError> {
        let mut facts = ModelFacts {
            digest: Digest::of(&[]),
            ir_version: 0,
            opsets: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            metadata: Vec::new(),
            nodes: 0,
        };
        for field in fields(bytes) {
            let field = field?;
            match field.number {
                model::IR_VERSION => facts.ir_version = field.number()?,
                model::OPSET_IMPORT => {
                    self.room("opsets", facts.opsets.len())?;
                    facts.opsets.push(read_opset(field.bytes()?)?);
                }
                model::METADATA => {
                    self.room("metadata entries", facts.metadata.len())?;
                    facts.metadata.push(read_entry(field.bytes()?)?);
                }
                model::FUNCTIONS => {
                    self.room("functions", self.functions.len())?;
                    let bytes = field.bytes()?;
                    self.functions.insert((text_in(bytes, function::DOMAIN)?, text_in(bytes, function::NAME)?));
                }
                model::TRAINING_INFO => return Err(OnnxError::Unsupported("training information")),
                _ => {}
            }
        }
        check_opsets(&facts.opsets)?;
        for field in fields(bytes).flatten().filter(|field| field.number == model::FUNCTIONS) {
            self.function(field.bytes()?)?;
        }
        let graph_bytes = graph_of(bytes)?;
        self.graph(graph_bytes, 0)?;
        self.ports(graph_bytes, &mut facts)?;
        Ok(facts)
    }

    fn ports(&self, graph_bytes: &'a [u8], facts: &mut ModelFacts) -> Result<(), OnnxError> {
        for field in fields(graph_bytes) {
            let field = field?;
            let (what, ports) = match field.number {
                graph::INPUT => ("inputs", &mut facts.inputs),
                graph::OUTPUT => ("outputs", &mut facts.outputs),
                _ => continue,
            };
            self.room(what, ports.len())?;
            ports.push(ValueFacts::read(field.bytes()?)?);
        }
        // Before IR version 4 every initialiser was listed as an input too.
        let mut initialized = HashSet::new();
        for field in fields(graph_bytes).flatten().filter(|field| field.number == graph::INITIALIZER) {
            initialized.insert(text_in(field.bytes()?, tensor::NAME)?);
        }
        facts.inputs.retain(|input| !initialized.contains(input.name.as_str()));
        Ok(())
    }

    fn graph(&mut self, bytes: &'a [u8], depth: usize) -> Result<(), OnnxError> {
        if depth > self.limits.max_depth {
            return Err(OnnxError::TooMany { what: "graphs within graphs", limit: self.limits.max_depth });
        }
        for field in fields(bytes) {
            let field = field?;
            self.part()?;
            match field.number {
                graph::NODE => self.node(field.bytes()?, depth, true)?,
                graph::INITIALIZER => check_tensor(field.bytes()?)?,
                graph::SPARSE_INITIALIZER => return Err(SPARSE),
                _ => {}
            }
        }
        Ok(())
    }

    fn function(&mut self, bytes: &'a [u8]) -> Result<(), OnnxError> {
        for field in fields(bytes) {
            let field = field?;
            self.part()?;
            match field.number {
                // A function may call ONNX's own operators and nothing else: what cannot recurse cannot run away.
                function::NODE => self.node(field.bytes()?, 0, false)?,
                function::ATTRIBUTE_PROTO => self.attribute(field.bytes()?, 0, false)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn node(&mut self, bytes: &'a [u8], depth: usize, may_call: bool) -> Result<(), OnnxError> {
        self.nodes += 1;
        let (op_type, domain) = (text_in(bytes, node::OP_TYPE)?, text_in(bytes, node::DOMAIN)?);
        let known = match domain {
            "" | "ai.onnx" | "ai.onnx.ml" => true,
            _ => may_call && self.functions.contains(&(domain, op_type)),
        };
        if !known {
            return Err(OnnxError::CustomOperator { op_type: op_type.to_owned(), domain: domain.to_owned() });
        }
        for field in fields(bytes) {
            let field = field?;
            if field.number == node::ATTRIBUTE {
                self.attribute(field.bytes()?, depth, may_call)?;
            }
        }
        Ok(())
    }

    fn attribute(&mut self, bytes: &'a [u8], depth: usize, may_call: bool) -> Result<(), OnnxError> {
        for field in fields(bytes) {
            let field = field?;
            match field.number {
                attribute::TENSOR | attribute::TENSORS => check_tensor(field.bytes()?)?,
                attribute::SPARSE_TENSOR | attribute::SPARSE_TENSORS => return Err(SPARSE),
                attribute::GRAPH | attribute::GRAPHS if may_call => self.graph(field.bytes()?, depth + 1)?,
                attribute::GRAPH | attribute::GRAPHS => {
                    return Err(OnnxError::Unsupported("a function with control flow"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn part(&mut self) -> Result<(), OnnxError> {
        self.parts += 1;
        if self.parts > self.limits.max_nodes {
            return Err(OnnxError::TooMany { what: "operators and tensors", limit: self.limits.max_nodes });
        }
        Ok(())
    }

    fn room(&self, what: &'static str, count: usize) -> Result<(), OnnxError> {
        if count >= self.limits.max_ports {
            return Err(OnnxError::TooMany { what, limit: self.limits.max_ports });
        }
        Ok(())
    }
}

fn check_opsets(opsets: &[(String, u64)]) -> Result<(), OnnxError> {
    let unknown = |domain: &str, version, newest| Err(OnnxError::Opset { domain: domain.to_owned(), version, newest });
    if !opsets.iter().any(|(domain, _)| is_onnx(domain)) {
        return unknown("", 0, NEWEST_OPSET);
    }
    for (domain, version) in opsets {
        match domain.as_str() {
            _ if is_onnx(domain) && !(OLDEST_OPSET..=NEWEST_OPSET).contains(version) => {
                return unknown(domain, *version, NEWEST_OPSET);
            }
            "ai.onnx.ml" if *version > NEWEST_ML_OPSET => return unknown(domain, *version, NEWEST_ML_OPSET),
            // Exporters import more than they use: an operator of another domain is refused where it stands.
            _ => {}
        }
    }
    Ok(())
}

/// Whether this is the domain of ONNX's own operators, which has two spellings.
pub(crate) fn is_onnx(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

pub(crate) fn read_opset(bytes: &[u8]) -> Result<(String, u64), OnnxError> {
    let (mut domain, mut version) = ("", 0);
    for field in fields(bytes) {
        let field = field?;
        match field.number {
            opset::DOMAIN => domain = field.text()?,
            opset::VERSION => version = field.number()?,
            _ => {}
        }
    }
    Ok((domain.to_owned(), version))
}

fn read_entry(bytes: &[u8]) -> Result<(String, String), OnnxError> {
    Ok((text_in(bytes, entry::KEY)?.to_owned(), text_in(bytes, entry::VALUE)?.to_owned()))
}

fn check_tensor(bytes: &[u8]) -> Result<(), OnnxError> {
    let mut elements = 1_u64;
    let mut external = false;
    let mut grow = |dim: u64| elements = elements.saturating_mul(dim);
    for field in fields(bytes) {
        let field = field?;
        match (field.number, field.payload) {
            (tensor::DIMS, Payload::Varint(dim)) => grow(dim),
            (tensor::DIMS, Payload::Bytes(packed)) => {
                for dim in varints(packed) {
                    grow(dim?);
                }
            }
            (tensor::EXTERNAL_DATA, _) => external = true,
            (tensor::DATA_LOCATION, _) => external |= field.number()? == tensor::LOCATION_EXTERNAL,
            _ => {}
        }
    }
    let name = || text_in(bytes, tensor::NAME).map(str::to_owned);
    if external {
        return Err(OnnxError::ExternalData { name: name()? });
    }
    // A negative length reads as a huge one.
    if elements > (bytes.len() as u64).saturating_mul(MAX_ELEMENTS_PER_BYTE) {
        return Err(OnnxError::TensorSize { name: name()?, bytes: bytes.len() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
}
