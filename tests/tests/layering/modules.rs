//! The modules of one crate: which file defines which name, and which names each file uses.
//!
//! Files are read as tokens, not as text, so that comments and strings name nothing. What is compiled for tests only is
//! left out. Methods are not followed: only names that stand in the code count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use super::imports::{self, Import};

/// One module, which is a file or part of one.
#[derive(Default)]
pub(crate) struct Module {
    /// Place of its file in [`Modules::files`].
    file: usize,
    parent: usize,
    children: BTreeMap<String, usize>,
    items: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths that stand in the module's code, `use` aside.
    mentions: BTreeSet<Vec<String>>,
}

/// All modules of a crate; the first is its root.
pub(crate) struct Modules {
    /// Paths of the files, the root's first.
    pub(crate) files: Vec<PathBuf>,
    modules: Vec<Module>,
}

/// What a path names.
enum Named {
    Module(usize),
    /// An item, and the file that defines it.
    Item(usize, String),
}

/// Names that are being looked up, each in its module: imports may name each other.
type Open = BTreeSet<(usize, String)>;

// === impl Modules ===

impl Modules {
    /// Reads a crate from its root, `lib.rs` or `main.rs`.
    pub(crate) fn read(root: &Path) -> Self {
        let mut modules = Self { files: Vec::new(), modules: Vec::new() };
        modules.file(root.to_owned(), 0);
        modules
    }

    /// Which file uses which names of which other: (file, other file) to names.
    pub(crate) fn arrows(&self) -> BTreeMap<(usize, usize), BTreeSet<String>> {
        let mut arrows = BTreeMap::<_, BTreeSet<String>>::new();
        for (place, module) in self.modules.iter().enumerate() {
            let private = module.imports.iter().filter(|import| !import.public && !import.glob);
            for path in private.map(|import| &import.path).chain(&module.mentions) {
                if let Some(Named::Item(file, name)) = self.resolve(place, path, &mut Open::new())
                    && file != module.file
                {
                    arrows.entry((module.file, file)).or_default().insert(name);
                }
            }
        }
        arrows
    }

    /// The files whose code has this name, wherever it stands.
    pub(crate) fn naming(&self, name: &str) -> BTreeSet<usize> {
        let has = |path: &Vec<String>| path.iter().any(|segment| segment == name);
        let names = |module: &&Module| {
            let imports = module.imports.iter().filter(|import| !import.public).map(|import| &import.path);
            module.items.contains(name) || module.mentions.iter().chain(imports).any(has)
        };
        self.modules.iter().filter(names).map(|module| module.file).collect()
    }

    /// Whether a path from the crate's root names a module or an item.
    pub(crate) fn have(&self, path: &[String]) -> bool {
        self.resolve(0, path, &mut Open::new()).is_some()
    }

    fn file(&mut self, path: PathBuf, parent: usize) -> usize {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let tokens: TokenStream = text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file = self.files.len();
        self.files.push(path);
        self.module(tokens, file, parent)
    }

    fn module(&mut self, tokens: TokenStream, file: usize, parent: usize) -> usize {
        let place = self.modules.len();
        self.modules.push(Module { file, parent, ..Module::default() });
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut rest = &tokens[..];
        while !rest.is_empty() {
            rest = self.item(place, rest);
        }
        place
    }

    /// Reads up to the end of one item, and returns what follows it.
    fn item<'a>(&mut self, place: usize, tokens: &'a [TokenTree]) -> &'a [TokenTree] {
        let end = end_of_item(tokens);
        let (item, rest) = tokens.split_at(end);
        if is_for_tests(item) {
            return rest;
        }
        let keyword = item.iter().position(|token| is_word(token, KEYWORDS));
        match keyword.map(|at| (word(&item[at]), &item[at + 1..])) {
            Some(("mod", [TokenTree::Ident(name), TokenTree::Group(body), ..])) => {
                let file = self.modules[place].file;
                let child = self.module(body.stream(), file, place);
                self.modules[place].children.insert(name.to_string(), child);
            }
            Some(("mod", [TokenTree::Ident(name), ..])) => {
                let path = beside(&self.files[self.modules[place].file], name);
                let child = self.file(path, place);
                self.modules[place].children.insert(name.to_string(), child);
            }
            Some(("use", tree)) => {
                let public = item.iter().any(|token| is_word(token, &["pub"]));
                self.modules[place].imports.extend(imports::read(tree, public));
            }
            keyword => {
                if let Some((_, after)) = keyword
                    && let Some(name) = after.iter().find_map(name_of_item)
                {
                    self.modules[place].items.insert(name);
                }
                let module = &mut self.modules[place];
                imports::mentions(item, &mut module.mentions, &mut module.imports);
            }
        }
        rest
    }

    fn resolve(&self, place: usize, path: &[String], open: &mut Open) -> Option<Named> {
        let (first, rest) = path.split_first()?;
        let mut named = match first.as_str() {
            "crate" => Named::Module(0),
            "self" => Named::Module(place),
            "super" => Named::Module(self.modules[place].parent),
            name => self.look_up(place, name, open)?,
        };
        for name in rest {
            named = match named {
                Named::Module(at) if name == "super" => Named::Module(self.modules[at].parent),
                Named::Module(at) => self.look_up(at, name, open)?,
                // A variant, a constant of a type, or a function of it.
                Named::Item(..) => break,
            };
        }
        Some(named)
    }

    fn look_up(&self, place: usize, name: &str, open: &mut Open) -> Option<Named> {
        let module = &self.modules[place];
        if module.items.contains(name) {
            return Some(Named::Item(module.file, name.to_owned()));
        }
        if let Some(&child) = module.children.get(name) {
            return Some(Named::Module(child));
        }
        if !open.insert((place, name.to_owned())) {
            return None;
        }
        let (globs, named): (Vec<_>, Vec<_>) = module.imports.iter().partition(|import| import.glob);
        let mut by_name = named.into_iter().filter(|import| import.name == name);
        by_name.find_map(|import| self.resolve(place, &import.path, open)).or_else(|| {
            globs.into_iter().find_map(|import| match self.resolve(place, &import.path, open)? {
                Named::Module(at) => self.look_up(at, name, open),
                Named::Item(..) => None,
            })
        })
    }
}

const KEYWORDS: &[&str] =
    &["mod", "use", "fn", "struct", "enum", "union", "trait", "type", "const", "static", "impl", "macro_rules"];

fn word(token: &TokenTree) -> &'static str {
    KEYWORDS.iter().find(|keyword| is_word(token, &[keyword])).copied().unwrap_or_default()
}

fn is_word(token: &TokenTree, words: &[&str]) -> bool {
    matches!(token, TokenTree::Ident(ident) if words.iter().any(|word| ident == word))
}

/// The first word after the keyword that is no further keyword: `const fn name`, `static NAME`, `macro_rules! name`.
fn name_of_item(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(ident) if !is_word(token, &["fn", "unsafe", "async", "extern", "mut"]) => {
            Some(ident.to_string())
        }
        _ => None,
    }
}

/// An item ends with a semicolon, or with the braces of its body; those of a `use` are no body.
fn end_of_item(tokens: &[TokenTree]) -> usize {
    let is_use = |end: usize| {
        let keyword = tokens[..end].iter().find(|token| is_word(token, KEYWORDS));
        keyword.is_some_and(|token| is_word(token, &["use", "const", "static", "type"]))
    };
    let ends = |(at, token): (usize, &TokenTree)| match token {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && (!is_use(at) || is_function(&tokens[..at])),
        _ => false,
    };
    tokens.iter().enumerate().position(ends).map_or(tokens.len(), |at| at + 1)
}

fn is_function(tokens: &[TokenTree]) -> bool {
    tokens.iter().any(|token| is_word(token, &["fn"]))
}

fn is_for_tests(item: &[TokenTree]) -> bool {
    item.iter().any(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            let text = group.stream().to_string().replace(' ', "");
            text == "cfg(test)" || text.starts_with("cfg(all(test,") || text == "test"
        }
        _ => false,
    })
}

/// Where `mod name;` in this file lies: beside it where it is a root or a `mod.rs`, else in the folder of its name.
fn beside(file: &Path, name: &Ident) -> PathBuf {
    let folder = file.parent().expect("a file lies in a folder");
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let folder = if ["lib", "main", "mod"].contains(&stem) { folder.to_owned() } else { folder.join(stem) };
    let flat = folder.join(format!("{name}.rs"));
    if flat.exists() { flat } else { folder.join(name.to_string()).join("mod.rs") }
}
