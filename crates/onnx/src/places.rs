//! Where the data of a model's tensors lie in its file: those of initialisers, of constants within nodes, and of graphs
//! within graphs.

use std::ops::Range;

use crate::error::OnnxError;
use crate::limits::Limits;
use crate::schema::{attribute, function, graph, model, node, tensor};
use crate::value::{ElementType, MAX_RANK};
use crate::wire::{Field, Payload, fields, varints};

/// A tensor whose data are a range of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorPlace<'a> {
    /// The tensor's name; for one without a name, that of the value that its node makes.
    pub name: &'a str,
    /// What its bytes are. Data that are stored as numbers of protobuf (`int32_data` and its like) are bytes of no
    /// type: [`ElementType::UNDEFINED`].
    pub element: ElementType,
    /// Lengths of its axes, outermost first.
    pub dims: Vec<u64>,
    /// Where its data lie in the file.
    pub data: Range<usize>,
}

/// The places of all tensors that have data in the file, in the file's order. Of a tensor whose data are in several
/// fields, as no exporter writes it, the last has a place. Takes time linear in the bytes; nothing is copied but axes.
///
/// # Errors
/// `Malformed` for a file that is no protobuf of this shape, and `TooMany` or `TooLarge` past a limit.
pub fn places<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Vec<TensorPlace<'a>>, OnnxError> {
    let (actual, limit) = (bytes.len().into(), limits.max_bytes);
    if actual > limit {
        return Err(OnnxError::TooLarge { actual, limit });
    }
    let mut finder = Finder { file: bytes, limits, found: Vec::new(), parts: 0 };
    for field in fields(bytes) {
        let field = field?;
        match field.number {
            model::GRAPH => finder.graph(field.bytes()?, 0)?,
            model::FUNCTIONS => finder.function(field.bytes()?)?,
            _ => {}
        }
    }
    Ok(finder.found)
}

/// What has been found so far.
struct Finder<'a, 'l> {
    file: &'a [u8],
    limits: &'l Limits,
    found: Vec<TensorPlace<'a>>,
    parts: usize,
}

// === impl Finder ===

impl<'a> Finder<'a, '_> {
    fn graph(&mut self, bytes: &'a [u8], depth: usize) -> Result<(), OnnxError> {
        if depth > self.limits.max_depth {
            return Err(OnnxError::TooMany { what: "graphs within graphs", limit: self.limits.max_depth });
        }
        for field in fields(bytes) {
            let field = field?;
            self.part()?;
            match field.number {
                graph::NODE => self.node(field.bytes()?, depth)?,
                graph::INITIALIZER => self.tensor(field.bytes()?, "")?,
                _ => {}
            }
        }
        Ok(())
    }

    fn function(&mut self, bytes: &'a [u8]) -> Result<(), OnnxError> {
        for field in fields(bytes) {
            let field = field?;
            self.part()?;
            if field.number == function::NODE {
                self.node(field.bytes()?, 0)?;
            }
        }
        Ok(())
    }

    fn node(&mut self, bytes: &'a [u8], depth: usize) -> Result<(), OnnxError> {
        let mut made = "";
        for field in fields(bytes) {
            let field = field?;
            match field.number {
                node::OUTPUT if made.is_empty() => made = field.text()?,
                node::ATTRIBUTE => self.attribute(field.bytes()?, made, depth)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn attribute(&mut self, bytes: &'a [u8], made: &'a str, depth: usize) -> Result<(), OnnxError> {
        for field in fields(bytes) {
            let field = field?;
            self.part()?;
            match field.number {
                attribute::TENSOR | attribute::TENSORS => self.tensor(field.bytes()?, made)?,
                attribute::GRAPH | attribute::GRAPHS => self.graph(field.bytes()?, depth + 1)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn tensor(&mut self, bytes: &'a [u8], made: &'a str) -> Result<(), OnnxError> {
        let (mut name, mut element, mut dims) = (made, ElementType::UNDEFINED, Vec::new());
        let mut data = None;
        for field in fields(bytes) {
            let field = field?;
            match (field.number, field.payload) {
                (tensor::DIMS, _) => read_dims(&field, &mut dims)?,
                (tensor::DATA_TYPE, _) => element = ElementType(field.number()?),
                (tensor::NAME, Payload::Bytes(text)) if !text.is_empty() => name = field.text()?,
                (number, Payload::Bytes(payload)) if tensor::holds_data(number) => data = Some((number, payload)),
                _ => {}
            }
        }
        if let Some((number, payload)) = data.filter(|(_, payload)| !payload.is_empty()) {
            let element = stored_as(number, element);
            self.found.push(TensorPlace { name, element, dims, data: range_within(self.file, payload) });
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
}

fn read_dims(field: &Field<'_>, dims: &mut Vec<u64>) -> Result<(), OnnxError> {
    match field.payload {
        Payload::Bytes(packed) => {
            for dim in varints(packed).take(MAX_RANK + 1) {
                dims.push(dim?);
            }
        }
        _ => dims.push(field.number()?),
    }
    if dims.len() > MAX_RANK {
        return Err(OnnxError::TooMany { what: "axes in one shape", limit: MAX_RANK });
    }
    Ok(())
}

/// What the bytes of a field of data are: floats are packed as they are, other numbers as varints.
fn stored_as(number: u32, element: ElementType) -> ElementType {
    match number {
        tensor::RAW_DATA => element,
        tensor::FLOAT_DATA => ElementType::FLOAT32,
        tensor::DOUBLE_DATA => ElementType::FLOAT64,
        _ => ElementType::UNDEFINED,
    }
}

/// Where `part` lies in `file`, a slice of which it is.
fn range_within(file: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - file.as_ptr().addr();
    start..start + part.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::GraphBuilder;
    use crate::wire::Writer;

    fn message(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut out = Writer::default();
        write(&mut out);
        out.finish()
    }

    type Found = (String, ElementType, Vec<u64>, Vec<u8>);

    fn found(graph: &[u8]) -> Vec<Found> {
        let file = message(|out| out.bytes(model::GRAPH, graph));
        let found = places(&file, &Limits::default()).unwrap();
        let facts = found
            .into_iter()
            .map(|place| (place.name.to_owned(), place.element, place.dims, file[place.data].to_vec()));
        facts.collect()
    }

    #[test]
    fn initialisers_have_their_bytes_where_they_lie() {
        let mut graph = GraphBuilder::new("places");
        graph.constant("w", &[2, 1], &[1.5, -2.0]).relu("y", "x").constant("b", &[1], &[0.25]);
        let file = graph.finish();
        let found = places(&file, &Limits::default()).unwrap();
        let bytes: Vec<_> = found.iter().map(|place| &file[place.data.clone()]).collect();
        assert_eq!(bytes, [&[0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0][..], &[0, 0, 0x80, 0x3e]]);
        assert_eq!((found[0].name, found[1].name), ("w", "b"));
        assert_eq!((&found[0].dims[..], found[0].element), (&[2, 1][..], ElementType::FLOAT32));
    }

    #[test]
    fn constants_of_nodes_and_of_graphs_within_graphs_are_found() {
        let unnamed = message(|out| {
            out.bytes(tensor::DIMS, &[3]);
            out.number(tensor::DATA_TYPE, 3);
            out.bytes(tensor::RAW_DATA, &[7, 8, 9]);
        });
        let constant = message(|out| {
            out.text(node::OUTPUT, "c");
            out.message(node::ATTRIBUTE, |out| out.bytes(attribute::TENSOR, &unnamed));
        });
        let inner = message(|out| out.bytes(graph::NODE, &constant));
        let branch = message(|out| out.message(node::ATTRIBUTE, |out| out.bytes(attribute::GRAPH, &inner)));
        let expected = ("c".to_owned(), ElementType(3), vec![3], vec![7, 8, 9]);
        for node in [constant, branch] {
            assert_eq!(found(&message(|out| out.bytes(graph::NODE, &node))), std::slice::from_ref(&expected));
        }
    }

    #[test]
    fn fields_of_numbers_say_what_their_bytes_are() {
        for (number, element) in [
            (tensor::FLOAT_DATA, ElementType::FLOAT32),
            (tensor::DOUBLE_DATA, ElementType::FLOAT64),
            (tensor::INT32_DATA, ElementType::UNDEFINED),
        ] {
            let typed = message(|out| {
                out.number(tensor::DATA_TYPE, 10);
                out.bytes(number, &[1; 8]);
            });
            let facts = found(&message(|out| out.bytes(graph::INITIALIZER, &typed)));
            assert_eq!(facts, [(String::new(), element, vec![], vec![1; 8])]);
        }
    }

    #[test]
    fn limits_hold_and_what_is_no_model_is_refused() {
        let limits = Limits { max_nodes: 2, max_depth: 1, ..Limits::default() };
        let wide = message(|out| out.message(model::GRAPH, |out| (0..3).for_each(|_| out.bytes(graph::NODE, &[]))));
        assert!(matches!(places(&wide, &limits), Err(OnnxError::TooMany { limit: 2, .. })));
        let deep = message(|out| {
            out.message(tensor::DIMS, |_| {});
            out.message(model::GRAPH, |out| {
                out.message(graph::INITIALIZER, |out| (0..65).for_each(|_| out.number(tensor::DIMS, 1)));
            });
        });
        assert!(matches!(places(&deep, &limits), Err(OnnxError::TooMany { limit: MAX_RANK, .. })));
        assert!(places(b"\x89PNG\r\n\x1a\n", &limits).is_err());
        assert_eq!(places(&[], &limits).unwrap(), []);
    }
}
