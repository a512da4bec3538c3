//! What stands in `use`, and which paths stand elsewhere in code.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenTree};

/// One name that a `use` brings, or all names of a module.
#[derive(Debug, PartialEq)]
pub(crate) struct Import {
    /// The name that it has here.
    pub(crate) name: String,
    pub(crate) path: Vec<String>,
    /// Whether others may take it from here: handed on, not used.
    pub(crate) public: bool,
    /// `path::*`.
    pub(crate) glob: bool,
}

/// The imports of a `use`, given what stands behind the word.
pub(crate) fn read(tree: &[TokenTree], public: bool) -> Vec<Import> {
    let mut found = Vec::new();
    branches(tree, &[], public, &mut found);
    found
}

/// Adds the paths of code: `a::b` once, and not what follows a dot. A `use` within a function is an import.
pub(crate) fn mentions(tokens: &[TokenTree], paths: &mut BTreeSet<Vec<String>>, imports: &mut Vec<Import>) {
    let mut rest = tokens;
    let mut before = None;
    while let [token, after @ ..] = rest {
        rest = after;
        match token {
            TokenTree::Group(group) => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                mentions(&inner, paths, imports);
            }
            TokenTree::Ident(ident) if ident == "use" => {
                let end = after.iter().position(is_semicolon).unwrap_or(after.len());
                imports.extend(read(&after[..end], false));
                rest = &after[end..];
            }
            TokenTree::Ident(_) => {
                let (path, after) = path(token, after);
                if !matches!(before, Some('.' | '\'')) {
                    paths.insert(path);
                }
                rest = after;
            }
            _ => {}
        }
        before = match token {
            TokenTree::Punct(punct) => Some(punct.as_char()),
            _ => None,
        };
    }
}

fn is_semicolon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';')
}

fn is_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':')
}

/// `first::second::third`, as far as it goes, and what follows it.
fn path<'a>(first: &TokenTree, mut rest: &'a [TokenTree]) -> (Vec<String>, &'a [TokenTree]) {
    let mut path = vec![first.to_string()];
    while let [one, two, next @ TokenTree::Ident(_), after @ ..] = rest
        && is_colon(one)
        && is_colon(two)
    {
        path.push(next.to_string());
        rest = after;
    }
    (path, rest)
}

fn branches(tree: &[TokenTree], stem: &[String], public: bool, found: &mut Vec<Import>) {
    let commas = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    for branch in tree.split(commas) {
        let mut path = stem.to_vec();
        let mut name = None;
        let mut tokens = branch.iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(ident) if ident == "as" => name = tokens.next().map(ToString::to_string),
                TokenTree::Ident(ident) if ident == "self" && !path.is_empty() => {}
                TokenTree::Ident(ident) => path.push(ident.to_string()),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    branches(&inner, &path, public, found);
                    path.clear();
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => {
                    found.push(Import { name: String::new(), path: path.clone(), public, glob: true });
                    path.clear();
                }
                _ => {}
            }
        }
        if let Some(last) = path.last() {
            found.push(Import { name: name.unwrap_or_else(|| last.clone()), path, public, glob: false });
        }
    }
}

#[test]
fn a_use_is_read_with_its_branches_and_names() {
    let tokens: proc_macro2::TokenStream = "crate::a::{self, b::C, d::*, e as f}".parse().unwrap();
    let read = read(&tokens.into_iter().collect::<Vec<_>>(), false);
    let paths: Vec<_> = read.iter().map(|import| (import.path.join("::"), import.name.as_str(), import.glob)).collect();
    let expected = [("crate::a", "a", false), ("crate::a::b::C", "C", false), ("crate::a::d", "", true)];
    let expected = expected.into_iter().chain([("crate::a::e", "f", false)]);
    assert!(paths.iter().map(|(path, name, glob)| (path.as_str(), *name, *glob)).eq(expected), "{paths:?}");
}

#[test]
fn code_mentions_paths_and_not_what_follows_a_dot() {
    let tokens: proc_macro2::TokenStream =
        "let x: &'a B = c::d(self.e, |f| { use g::H; H::i(\"j\") });".parse().unwrap();
    let (mut paths, mut imports) = (BTreeSet::new(), Vec::new());
    mentions(&tokens.into_iter().collect::<Vec<_>>(), &mut paths, &mut imports);
    let paths: Vec<_> = paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["B", "H::i", "c::d", "f", "let", "self", "x"]);
    assert_eq!(imports[0].path, ["g", "H"]);
}
