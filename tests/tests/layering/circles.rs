//! No two files of a crate use each other, by whatever way around: then they would be one noun cut in two, or a third
//! noun that has no name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::modules::Modules;
use super::sources::crates;

type Arrows = BTreeMap<(usize, usize), BTreeSet<String>>;

#[test]
fn no_files_of_a_crate_use_each_other_in_a_circle() {
    let found: Vec<_> = crates().iter().flat_map(|root| circles_of(root)).collect();
    assert!(found.is_empty(), "{} circles of files:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_circle_is_found_through_parents_and_names_that_are_handed_on() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("toy/src/lib.rs");
    std::fs::create_dir_all(root.parent().unwrap()).unwrap();
    let write = |name: &str, text: &str| std::fs::write(root.with_file_name(name), text).unwrap();
    write("lib.rs", "mod a; mod b; mod c; pub use a::A; #[cfg(test)] mod tests { use crate::c::C; }");
    write("a.rs", "use crate::c::C; pub struct A(C);");
    write("b.rs", "pub fn b(a: &crate::A) {}");
    write("c.rs", "pub struct C;");
    assert_eq!(circles_of(&root), Vec::<String>::new());
    write("c.rs", "pub struct C; impl C { fn c() { crate::b::b(None) } }");
    let found = circles_of(&root);
    assert_eq!(found.len(), 1, "{found:?}");
    for arrow in ["a.rs -> toy/src/c.rs: C", "b.rs -> toy/src/a.rs: A", "c.rs -> toy/src/b.rs: b"] {
        assert!(found[0].contains(arrow), "{found:?}");
    }
}

/// Each circle in words: its arrows, and the names that make them.
fn circles_of(root: &Path) -> Vec<String> {
    let modules = Modules::read(root);
    let arrows = modules.arrows();
    let above = root.ancestors().nth(3).expect("a crate lies in a folder");
    let name = |file: usize| modules.files[file].strip_prefix(above).expect("files lie below their root").display();
    circles(modules.files.len(), &arrows)
        .into_iter()
        .map(|circle| {
            let within = arrows.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
            let lines = within.map(|((from, to), names)| {
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                format!("  {} -> {}: {}", name(*from), name(*to), names.join(", "))
            });
            format!("{} files:\n{}", circle.len(), lines.collect::<Vec<_>>().join("\n"))
        })
        .collect()
}

/// Sets of files that reach each other. There are some hundred files at most, so each one's reach is computed.
fn circles(files: usize, arrows: &Arrows) -> Vec<BTreeSet<usize>> {
    let reach: Vec<_> = (0..files).map(|file| reached(file, arrows)).collect();
    let circle = |file: usize| -> BTreeSet<_> {
        reach[file].iter().copied().filter(|&other| reach[other].contains(&file)).collect()
    };
    let all: BTreeSet<_> = (0..files).map(circle).filter(|circle| circle.len() > 1).collect();
    all.into_iter().collect()
}

fn reached(from: usize, arrows: &Arrows) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        let next = arrows.range((file, 0)..=(file, usize::MAX)).map(|((_, to), _)| *to);
        open.extend(next.filter(|to| reached.insert(*to)).collect::<Vec<_>>());
    }
    reached
}
