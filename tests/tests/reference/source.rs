//! The code as text: structs and enums that serde writes and reads, with their documentation.

use std::path::{Path, PathBuf};

use headwater_tests::root;
use syn::{Attribute, Expr, ExprLit, Fields, Item, Lit, Meta};

/// Parsed files.
pub(crate) struct Source {
    files: Vec<(PathBuf, Vec<Item>)>,
}

/// What serde is told of a type or a field.
#[derive(Default)]
pub(crate) struct Serde {
    pub(crate) rename: Option<String>,
    pub(crate) with: Option<String>,
    pub(crate) skip: bool,
    pub(crate) flatten: bool,
    pub(crate) transparent: bool,
    pub(crate) untagged: bool,
    pub(crate) may_be_absent: bool,
}

// === impl Source ===

impl Source {
    /// Every Rust file below a folder of the repository.
    pub(crate) fn read(folder: &str) -> Self {
        let mut files = Vec::new();
        let mut folders = vec![root().join(folder)];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                    files.push((path, parsed.items));
                }
            }
        }
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self { files }
    }

    /// The type of this name that code in a file means: its own, else its crate's only one, else the only one of all,
    /// or of those that are printed.
    pub(crate) fn find(&self, name: &str, from: &Path) -> Option<(&Path, &Item)> {
        let named =
            |file: &&(PathBuf, Vec<Item>)| file.1.iter().any(|item| name_of(item).is_some_and(|found| found == name));
        let printed = |file: &&(PathBuf, Vec<Item>)| file.1.iter().any(|item| is_printed(item, name));
        let mut all: Vec<_> = self.files.iter().filter(named).collect();
        if all.len() > 1 && all.iter().any(printed) {
            all.retain(printed);
        }
        let of_crate: Vec<_> = all.iter().filter(|(path, _)| crate_of(path) == crate_of(from)).copied().collect();
        let (path, items) = match (all.iter().find(|(path, _)| path == from), of_crate.as_slice(), all.as_slice()) {
            (Some(own), ..) => own,
            (None, [one], _) | (None, [], [one]) => one,
            (None, [], []) => return None,
            _ => panic!(
                "{} means one of several {name}: {:?}",
                from.display(),
                all.iter().map(|(path, _)| path).collect::<Vec<_>>()
            ),
        };
        let item = items.iter().find(|item| name_of(item).is_some_and(|found| found == name))?;
        Some((path, item))
    }
}

/// Whether an item is the type of this name, and derives how it is printed.
fn is_printed(item: &Item, name: &str) -> bool {
    let attributes = match item {
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        _ => return false,
    };
    let derived = attributes.iter().filter_map(|attribute| attribute.meta.require_list().ok());
    name_of(item).is_some_and(|found| found == name)
        && derived.into_iter().any(|list| list.tokens.to_string().contains("Serialize"))
}

/// What stands in a type's angle brackets, without lifetimes.
pub(crate) fn arguments(segment: &syn::PathSegment) -> Vec<&syn::Type> {
    let syn::PathArguments::AngleBracketed(brackets) = &segment.arguments else { return Vec::new() };
    let types = brackets.args.iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

pub(crate) fn named_fields(fields: &Fields) -> impl Iterator<Item = (&syn::Field, String)> {
    fields
        .iter()
        .filter_map(|field| Some((field, field.ident.as_ref()?.to_string().trim_start_matches("r#").to_owned())))
}

/// Whether serde's derive writes it.
pub(crate) fn is_derived(attributes: &[Attribute]) -> bool {
    let derives = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    derives.into_iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.tokens.to_string().contains("Serialize"),
        _ => false,
    })
}

/// The text of its `///`.
pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let lines =
        attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| match &attribute
            .meta
        {
            Meta::NameValue(pair) => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        });
    lines.collect::<Vec<_>>().join(" ")
}

fn name_of(item: &Item) -> Option<&syn::Ident> {
    match item {
        Item::Struct(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        _ => None,
    }
}

fn crate_of(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|folder| folder.ends_with("src")).map(Path::to_owned)
}

pub(crate) fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

// === impl Serde ===

impl Serde {
    pub(crate) fn of(attributes: &[Attribute]) -> Self {
        let mut found = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| found.take(&meta)).unwrap();
        }
        found
    }

    fn take(&mut self, meta: &syn::meta::ParseNestedMeta<'_>) -> syn::Result<()> {
        let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        let value = match meta.input.peek(syn::Token![=]) {
            true => Some(meta.value()?.parse::<syn::LitStr>()?.value()),
            false => None,
        };
        match word.as_str() {
            "rename" => self.rename = value,
            "with" | "serialize_with" => self.with = value,
            "skip" | "skip_serializing" => self.skip = true,
            "flatten" => self.flatten = true,
            "transparent" => self.transparent = true,
            "untagged" => self.untagged = true,
            "skip_serializing_if" => self.may_be_absent = true,
            "rename_all"
            | "default"
            | "tag"
            | "try_from"
            | "from"
            | "deny_unknown_fields"
            | "deserialize_with"
            | "skip_deserializing"
            | "bound" => {}
            other => panic!("serde's {other}: the reference does not know what it does to JSON"),
        }
        Ok(())
    }
}
