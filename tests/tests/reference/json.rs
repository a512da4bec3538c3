//! Every field that `--json` prints, from the types that are printed: names and types by serde's rules, and their
//! documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use headwater_tests::root;
use serde_json::Value;
use syn::{Item, Type};

use crate::markdown::{code, head, sentence, table};
use crate::source::{Serde, Source, arguments, documentation, is_derived, kebab, named_fields};

/// What a command prints, and the type that it is: a file and its struct. Of what is written by hand, the fields.
const PRINTED: [Printed; 24] = [
    derived("storage-server index", "server/src/indexing/report.rs", "IndexReport"),
    derived(STATUS, "server/src/status/mod.rs", "Status"),
    derived("tuner extract", "tune/src/report/extract.rs", "ExtractSummary"),
    derived("tuner fine-tune", "tune/src/report/fine_tune.rs", "FineTuneSummary"),
    derived("tuner push", "tune/src/report/push.rs", "PushSummary"),
    derived("tuner rollback", "tune/src/report/push.rs", "RollbackSummary"),
    derived("profiler fetch", "measure/src/fetch/summary.rs", "FetchSummary"),
    derived("profiler fetch, each line of samples.jsonl", "measure/src/fetch/row.rs", "SampleRow"),
    derived("profiler dataset", "measure/src/gauge/dataset/report.rs", "ProfileReport"),
    derived("profiler network", "measure/src/gauge/network.rs", "NetworkReport"),
    derived("profiler machine", "measure/src/gauge/machine.rs", "MachineReport"),
    derived("profiler model", "measure/src/model/report.rs", "NetworkCuts"),
    derived("tuner plan", "tune/src/report/partition.rs", "PartitionSummary"),
    derived("profiler epoch", "epoch/src/report.rs", "EpochReport"),
    derived("profiler compare", "measure/src/compare.rs", "ComparedEpochs"),
    derived("profiler import sophon", "measure/src/import/mod.rs", "Imported"),
    derived("profiler report", "measure/src/report/mod.rs", "Written"),
    derived("profiler report sync", "measure/src/report/sync/mod.rs", "WrittenRuns"),
    derived("profiler simulate sync", "simulate/src/sync/report.rs", "SyncReport"),
    derived("profiler simulate cache", "measure/src/simulate/mod.rs", "CacheReport"),
    Printed { command: "profiler plan", derived: None, by_hand: &PLAN },
    Printed { command: "profiler explain", derived: Some(("plan/src/explain.rs", "Explanation")), by_hand: &EXPLAIN },
    Printed { command: "profiler recipe NAME", derived: None, by_hand: &RECIPE },
    Printed { command: "every program, on standard error, where it fails", derived: None, by_hand: &ERROR },
];

/// What the page of the metrics port asks for.
pub(crate) const STATUS: &str = "storage-server serve, at /status.json of its metrics port";

const PLAN: [ByHand; 30] = [
    ("algorithm", STRING, "who made the plan"),
    ("samples", WHOLE, "samples of the profile"),
    ("offloaded", WHOLE, "samples whose cut is not `encoded`"),
    ("bytes", WHOLE, "bytes of all payloads"),
    ("seconds", OBJECT, "predicted, by kind of resource: of several servers, the one that takes longest"),
    ("seconds.network", NUMBER, "of the trainer's and the servers' networks"),
    ("seconds.storage_cpu", NUMBER, "of the servers' cores"),
    ("seconds.storage_device", NUMBER, "of the servers' devices that infer"),
    ("seconds.trainer_cpu", NUMBER, "of the trainer's cores"),
    ("seconds.trainer_device", NUMBER, "of the trainer's devices that infer"),
    ("seconds.accelerator", NUMBER, "of the accelerator"),
    ("seconds.epoch", NUMBER, "the largest of them"),
    ("bound", NUMBER, "seconds that no plan can beat"),
    ("gap", NUMBER, "how much longer than the bound the epoch may be: epoch / bound - 1"),
    ("proven", BOOL, "whether the epoch is known to be the shortest there is"),
    ("cuts", OBJECT, "samples at each way of the profile"),
    ("cuts.*", WHOLE, "samples at this way"),
    ("bottleneck", STRING, "the resource that takes longest"),
    ("resources", LIST, "each resource that is limited"),
    ("resources[].resource", STRING, "which"),
    ("resources[].server", "string or null", "the server that has it"),
    ("resources[].seconds", NUMBER, "seconds that an epoch keeps it busy"),
    ("resources[].price", NUMBER, "what a second of it is worth, in seconds of the epoch"),
    ("modes", LIST, "the simple modes, for comparison"),
    ("modes[].algorithm", STRING, "which"),
    (
        "modes[].outcome",
        "object or null",
        "`offloaded`, `bytes` and `seconds` as above; null where the profile or the resources do not allow it",
    ),
    ("modes[].outcome.*", ANY, "as of the plan"),
    ("plan", "string or null", "the file that was written"),
    ("plan_digest", STRING, "of the plan"),
    ("profile_digest", STRING, "of the profile that it was made of"),
];
const EXPLAIN: [ByHand; 3] = [
    ("prices", LIST, "what is scarce, of the resources that this sample uses"),
    ("prices[].resource", STRING, "which"),
    ("prices[].price", NUMBER, "what a second of it is worth, in seconds of the epoch"),
];
const RECIPE: [ByHand; 6] = [
    ("name", STRING, "its name"),
    ("digest", STRING, "of what it does: two recipes with the same digest make the same tensors"),
    ("height", WHOLE, "rows of the output"),
    ("width", WHOLE, "columns of the output"),
    ("random", BOOL, "whether each epoch has another crop or flip"),
    ("toml", STRING, "the recipe as a file"),
];
const ERROR: [ByHand; 4] = [
    ("error", STRING, "what went wrong"),
    ("causes", LIST, "why, from the outermost to the innermost"),
    ("causes[]", STRING, "one of them"),
    ("exit_code", WHOLE, "with which the program ends: see [exit-codes.md](exit-codes.md)"),
];

/// Types that are written by hand: what they are, and what is in them.
const WRITTEN: [(&str, &str, &[ByHand]); 1] = [(
    "Failures",
    LIST,
    &[
        ("[].kind", STRING, "the kind: see [failures.md](failures.md)"),
        ("[].count", WHOLE, "samples that failed so"),
        ("[].keys", LIST, "the first of them"),
        ("[].keys[]", STRING, "a sample's key"),
    ],
)];

/// Path, kind and text of a field.
type ByHand = (&'static str, &'static str, &'static str);

const STRING: &str = "string";
const WHOLE: &str = "whole number";
const NUMBER: &str = "number";
const BOOL: &str = "true or false";
const OBJECT: &str = "object";
const LIST: &str = "list";
const ANY: &str = "any";

/// A line for each name of fields that have no documentation of their own: what it means, wherever it stands.
const GLOSSARY: &str = "tests/tests/reference/glossary.txt";

struct Printed {
    command: &'static str,
    derived: Option<(&'static str, &'static str)>,
    by_hand: &'static [ByHand],
}

const fn derived(command: &'static str, file: &'static str, name: &'static str) -> Printed {
    Printed { command, derived: Some((file, name)), by_hand: &[] }
}

/// A field of what a command prints.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// `runs[].images`; `*` is any name.
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) may_be_absent: bool,
}

/// The fields of each command, in the order of [`PRINTED`].
pub(crate) type Documented = Vec<(&'static str, Vec<Field>)>;

pub(crate) fn documented() -> Documented {
    let source = Source::read("crates");
    let glossary = std::fs::read_to_string(root().join(GLOSSARY)).unwrap();
    let glossary: BTreeMap<&str, &str> = glossary.lines().filter_map(|line| line.split_once(": ")).collect();
    let mut undescribed = Vec::new();
    let mut used = BTreeSet::new();
    let mut all = Vec::new();
    for printed in &PRINTED {
        let mut fields = Vec::new();
        if let Some((file, name)) = printed.derived {
            let file = root().join("crates").join(file);
            let (file, item) = source.find(name, &file).unwrap_or_else(|| panic!("no {name} in {}", file.display()));
            Walk { source: &source, fields: &mut fields }.item(item, file, "");
        }
        fields.extend(printed.by_hand.iter().map(|(path, kind, text)| field(path, kind, text, false)));
        for field in &mut fields {
            let name = field.path.rsplit('.').next().unwrap_or_default().trim_end_matches("[]").to_owned();
            if field.text.is_empty()
                && let Some(text) = glossary.get(name.as_str())
            {
                (*text).clone_into(&mut field.text);
                used.insert(name.to_owned());
            }
            if field.text.is_empty() && !field.path.ends_with(['*', ']']) {
                undescribed.push(format!("{}: {}", printed.command, field.path));
            }
        }
        all.push((printed.command, fields));
    }
    assert!(
        undescribed.is_empty(),
        "fields without documentation: write it at the field, or in {GLOSSARY}: {undescribed:#?}"
    );
    let unused: Vec<_> = glossary.keys().filter(|name| !used.contains(**name)).collect();
    assert!(unused.is_empty(), "{GLOSSARY} explains what no field needs: {unused:?}");
    all
}

pub(crate) fn page(documented: &Documented) -> String {
    let mut page = head(
        "What `--json` prints",
        "With `--json` a command prints one line of JSON on standard output. Seconds are seconds, bytes are bytes, \
         bandwidths are bits a second, digests are hexadecimal. `[]` stands for each of a list, `*` for any name.",
    );
    for (command, fields) in documented {
        writeln!(page, "\n## {command}").unwrap();
        let row = |field: &Field| {
            let absent = if field.may_be_absent { ", or absent" } else { "" };
            [code(&field.path), format!("{}{absent}", field.kind), sentence(&field.text)]
        };
        table(&mut page, ["field", "type", "what it is"], fields.iter().map(row));
    }
    page
}

fn field(path: &str, kind: &str, text: &str, may_be_absent: bool) -> Field {
    Field { path: path.to_owned(), kind: kind.to_owned(), text: text.trim_end_matches('.').to_owned(), may_be_absent }
}

struct Walk<'a> {
    source: &'a Source,
    fields: &'a mut Vec<Field>,
}

// === impl Walk ===

impl<'a> Walk<'a> {
    /// Adds the fields of a struct below a path.
    fn item(&mut self, item: &Item, file: &Path, path: &str) {
        let Item::Struct(item) = item else { panic!("{path} is no struct") };
        assert!(is_derived(&item.attrs), "{path}: {} is serialised by hand: describe it in WRITTEN", item.ident);
        if let syn::Fields::Unnamed(fields) = &item.fields {
            let Some(inner) = fields.unnamed.first() else { panic!("{} has no field", item.ident) };
            assert!(Serde::of(&item.attrs).transparent, "{} is no transparent struct", item.ident);
            self.inside(&inner.ty, file, path);
            return;
        }
        for (field, name) in named_fields(&item.fields) {
            let serde = Serde::of(&field.attrs);
            if serde.skip {
                continue;
            }
            let name = serde.rename.clone().unwrap_or(name);
            let path = if path.is_empty() { name } else { format!("{path}.{name}") };
            if serde.flatten {
                self.flattened(&field.ty, file, path.rsplit_once('.').map_or("", |(above, _)| above));
                continue;
            }
            let kind = match &serde.with {
                Some(with) => with_kind(with),
                None => self.kind(&field.ty, file),
            };
            self.fields.push(self::field(&path, &kind, &documentation(&field.attrs), serde.may_be_absent));
            if serde.with.is_none() {
                self.inside(&field.ty, file, &path);
            }
        }
    }

    fn flattened(&mut self, ty: &Type, file: &Path, path: &str) {
        let (name, inner) = name_and_arguments(ty);
        if name == "Option" {
            let first = self.fields.len();
            self.flattened(inner[0], file, path);
            self.fields[first..].iter_mut().for_each(|field| field.may_be_absent = true);
            return;
        }
        let (file, item) = self.source.find(&name, file).unwrap_or_else(|| panic!("no type {name}"));
        self.item(item, file, path);
    }

    /// Adds what is inside a value of this type.
    fn inside(&mut self, ty: &Type, file: &Path, path: &str) {
        if let Type::Array(array) = ty {
            return self.inside(&array.elem, file, &format!("{path}[]"));
        }
        let (name, inner) = name_and_arguments(ty);
        match name.as_str() {
            "Option" | "Box" | "Arc" => self.inside(inner[0], file, path),
            "Vec" => self.inside(inner[0], file, &format!("{path}[]")),
            "BTreeMap" => {
                let path = format!("{path}.*");
                let kind = self.kind(inner[1], file);
                self.fields.push(field(&path, &kind, "", false));
                self.inside(inner[1], file, &path);
            }
            name if written(name).is_some() => {
                let fields = written(name).map_or(&[][..], |(_, fields)| fields);
                self.fields
                    .extend(fields.iter().map(|(at, kind, text)| field(&format!("{path}{at}"), kind, text, false)));
            }
            name if leaf(name).is_some() => {}
            name => match self.found(name, file) {
                (file, Item::Type(alias)) => self.inside(&alias.ty, &file, path),
                (file, item @ Item::Struct(_)) if !is_text(item) => self.item(item, &file, path),
                _ => {}
            },
        }
    }

    fn kind(&self, ty: &Type, file: &Path) -> String {
        if let Type::Array(_) = ty {
            return LIST.to_owned();
        }
        let (name, inner) = name_and_arguments(ty);
        match name.as_str() {
            "Option" => format!("{} or null", self.kind(inner[0], file)),
            "Box" | "Arc" => self.kind(inner[0], file),
            "Vec" => LIST.to_owned(),
            "BTreeMap" => OBJECT.to_owned(),
            name => {
                let known = leaf(name).or_else(|| written(name).map(|(kind, _)| kind));
                known.map_or_else(|| self.named_kind(name, file), str::to_owned)
            }
        }
    }

    fn named_kind(&self, name: &str, file: &Path) -> String {
        match self.found(name, file) {
            (file, Item::Type(alias)) => self.kind(&alias.ty, &file),
            (_, Item::Enum(choice)) if Serde::of(&choice.attrs).untagged => NUMBER.to_owned(),
            (_, Item::Enum(choice)) => {
                let names: Vec<_> =
                    choice.variants.iter().map(|variant| code(&kebab(&variant.ident.to_string()))).collect();
                format!("{STRING}: {}", names.join(", "))
            }
            (_, item @ Item::Struct(_)) if is_text(item) => STRING.to_owned(),
            (_, Item::Struct(item)) if matches!(item.fields, syn::Fields::Unnamed(_)) => {
                panic!("{name} is a value of its own: name its kind in `leaf`")
            }
            _ => OBJECT.to_owned(),
        }
    }

    fn found(&self, name: &str, file: &Path) -> (PathBuf, &'a Item) {
        let source = self.source;
        let (path, item) = source.find(name, file).unwrap_or_else(|| panic!("{}: no type {name}", file.display()));
        (path.to_owned(), item)
    }
}

/// Whether a struct is written as the text that it holds.
fn is_text(item: &Item) -> bool {
    let Item::Struct(item) = item else { return false };
    let holds_text = |field: &syn::Field| name_and_arguments(&field.ty).0 == "String";
    Serde::of(&item.attrs).transparent && item.fields.iter().all(holds_text)
}

/// Of [`WRITTEN`]: the kind and the fields of a type.
fn written(name: &str) -> Option<(&'static str, &'static [ByHand])> {
    WRITTEN.iter().find(|(known, ..)| *known == name).map(|(_, kind, fields)| (*kind, *fields))
}

/// Types that are one value of JSON.
fn leaf(name: &str) -> Option<&'static str> {
    match name {
        "bool" => Some(BOOL),
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" | "ByteCount" | "Micros" => Some(WHOLE),
        "f32" | "f64" | "Cores" | "BitsPerSecond" | "SamplesPerSecond" => Some(NUMBER),
        "String" | "str" | "PathBuf" | "Digest" | "Way" | "Algorithm" | "Resource" | "ServerAddress" => Some(STRING),
        "Value" => Some(ANY),
        "FieldsOf" => Some(OBJECT),
        _ => None,
    }
}

/// What a module or function that serialises a field makes of it.
fn with_kind(with: &str) -> String {
    match with {
        "optional_bandwidth" => "string or null".to_owned(),
        "name" => STRING.to_owned(),
        other => panic!("serde's with = {other:?}: name what it writes in `with_kind`"),
    }
}

fn name_and_arguments(ty: &Type) -> (String, Vec<&Type>) {
    match ty {
        Type::Path(path) => {
            let last = path.path.segments.last().unwrap();
            (last.ident.to_string(), arguments(last))
        }
        Type::Reference(reference) => name_and_arguments(&reference.elem),
        _ => panic!("a type of JSON that the reference does not know"),
    }
}

/// Every path of a field in a value, with what stands there; a list's elements share one path.
pub(crate) fn paths(value: &Value, path: &str, found: &mut BTreeMap<String, Vec<Value>>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                found.entry(path.clone()).or_default().push(value.clone());
                paths(value, &path, found);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                paths(element, &format!("{path}[]"), found);
            }
        }
        _ => {}
    }
}
