//! Which columns of a file are its photos, keys, labels and fields.

use headwater_types::field::{Field, FieldKind};
use headwater_types::shown;

use super::footer::Footer;
use super::huggingface::Features;
use super::schema::{Leaf, Physical};
use crate::spec::DatasetOptions;

/// Names of label columns, the first that is there goes before the others.
const LABELS: [&str; 5] = ["label", "labels", "fine_label", "cls", "class"];
/// Names of columns of keys beside plain binary photos.
const KEYS: [&str; 2] = ["__key__", "key"];
/// Names of columns of photos, where several columns could be photos.
const IMAGES: [&str; 8] = ["image", "img", "jpg", "jpeg", "png", "webp", "photo", "picture"];

/// The columns that are read, by their positions in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) image: Leaf,
    /// The positions in the file: photos, keys, label, fields.
    pub(super) places: Vec<usize>,
    pub(super) key: Option<Leaf>,
    pub(super) label: Option<Leaf>,
    /// The names of the label's numbers.
    pub(super) names: Option<Vec<String>>,
    pub(super) fields: Vec<(Leaf, Field)>,
    /// A column that has the name of labels and is none that can be read as such.
    pub(super) passed_over: Option<String>,
}

// === impl Columns ===

impl Columns {
    /// Chooses as the options say, and without them by type and name. The error says what is there instead.
    pub(super) fn choose(footer: &Footer, options: &DatasetOptions) -> Result<Self, String> {
        let columns = &footer.columns;
        let features = Features::read(footer.huggingface.as_deref());
        let image = image(columns, options.image.as_deref(), &features)?;
        let key = key(columns, options.key.as_deref(), &columns[image])?;
        let (label, passed_over) = label(columns, options.label.as_deref())?;
        let fields = options.fields.iter().map(|name| field(columns, name)).collect::<Result<Vec<_>, _>>()?;
        let leaf = |at: usize| columns[at].clone();
        let places = [image].into_iter().chain(key).chain(label).chain(fields.iter().map(|(at, _)| *at));
        Ok(Self {
            image: leaf(image),
            places: places.collect(),
            key: key.map(leaf),
            label: label.map(leaf),
            names: label.and_then(|at| features.names(&columns[at].name())),
            fields: fields.iter().map(|(at, field)| (leaf(*at), field.clone())).collect(),
            passed_over,
        })
    }
}

/// The position of the column of photos.
pub(super) fn image(columns: &[Leaf], wanted: Option<&str>, features: &Features) -> Result<usize, String> {
    let is_binary = |leaf: &Leaf| leaf.physical == Physical::Bytes && !leaf.is_repeated;
    if let Some(name) = wanted {
        let at = columns.iter().position(|leaf| is_binary(leaf) && (leaf.name() == name || is_bytes_of(leaf, name)));
        return at.ok_or_else(|| format!("image={name} is no column of binary values: {}", all(columns)));
    }
    let could_be = |leaf: &Leaf| {
        is_binary(leaf)
            && !leaf.is_text
            && (leaf.path.len() == 1 || leaf.path.last().is_some_and(|name| name == "bytes"))
    };
    let candidates: Vec<_> = (0..columns.len()).filter(|&at| could_be(&columns[at])).collect();
    let named = |name: &str| candidates.iter().copied().find(|&at| columns[at].path[0].eq_ignore_ascii_case(name));
    let said: Vec<_> = candidates.iter().copied().filter(|&at| features.is_image(&columns[at].path[0])).collect();
    match (&*candidates, &*said) {
        ([], _) => Err(format!("it has no column of binary values, in which photos could be: {}", all(columns))),
        (&[only], _) | (_, &[only]) => Ok(only),
        _ => IMAGES.into_iter().find_map(named).ok_or_else(|| {
            let names = shown::listed(candidates.iter().map(|&at| columns[at].name()), "and");
            format!("photos could be in {names}: say which with image=COLUMN")
        }),
    }
}

fn key(columns: &[Leaf], wanted: Option<&str>, image: &Leaf) -> Result<Option<usize>, String> {
    let is_key = |leaf: &Leaf| leaf.physical == Physical::Bytes && !leaf.is_repeated;
    if let Some(name) = wanted {
        let at = columns.iter().position(|leaf| is_key(leaf) && leaf.name() == name);
        return at.map(Some).ok_or_else(|| format!("key={name} is no column of text: {}", all(columns)));
    }
    let path =
        |leaf: &Leaf| is_key(leaf) && leaf.path.len() == 2 && leaf.path[0] == image.path[0] && leaf.path[1] == "path";
    let beside =
        || KEYS.into_iter().find_map(|name| columns.iter().position(|leaf| is_key(leaf) && leaf.name() == name));
    Ok(columns.iter().position(path).or_else(beside))
}

/// The position of the label, or else the name of a column that is called so and cannot be one.
fn label(columns: &[Leaf], wanted: Option<&str>) -> Result<(Option<usize>, Option<String>), String> {
    let is_label = |leaf: &Leaf| {
        let fits = matches!(leaf.physical, Physical::Int32 | Physical::Int64)
            || (leaf.physical == Physical::Bytes && leaf.is_text);
        fits && !leaf.is_repeated
    };
    let named = |name: &str| columns.iter().position(|leaf| is_label(leaf) && leaf.name() == name);
    if let Some(name) = wanted {
        let at =
            named(name).ok_or_else(|| format!("label={name} is no column of whole numbers or text: {}", all(columns)));
        return Ok((Some(at?), None));
    }
    let found = LABELS.into_iter().find_map(named);
    let called = || columns.iter().find(|leaf| LABELS.contains(&leaf.path[0].as_str())).map(Leaf::name);
    Ok((found, if found.is_none() { called() } else { None }))
}

fn field(columns: &[Leaf], name: &str) -> Result<(usize, Field), String> {
    let at = columns.iter().position(|leaf| leaf.name() == name);
    let at = at.ok_or_else(|| format!("fields={name} is no column: {}", all(columns)))?;
    let kind = match columns[at].physical {
        _ if columns[at].is_repeated => None,
        Physical::Boolean | Physical::Int32 | Physical::Int64 => Some(FieldKind::Integer),
        Physical::Float | Physical::Double => Some(FieldKind::Number),
        Physical::Bytes => columns[at].is_text.then_some(FieldKind::Text),
        Physical::Other => None,
    };
    let kind = kind.ok_or_else(|| {
        format!("fields={name}: its values are no numbers or text, one for each row; labels=FILE takes lists")
    })?;
    Ok((at, Field { name: name.to_owned(), kind }))
}

fn is_bytes_of(leaf: &Leaf, name: &str) -> bool {
    leaf.path.len() == 2 && leaf.path[0] == name && leaf.path[1] == "bytes"
}

fn all(columns: &[Leaf]) -> String {
    let first = columns.iter().take(20).map(Leaf::name);
    let more = if columns.len() > 20 { format!(" and {} more", columns.len() - 20) } else { String::new() };
    format!("its columns are {}{more}", shown::listed(first, "and"))
}
