//! The page that says which files a new format, source, cut, policy or call touches says it at an example that is
//! there: every file that names the example is in its table, and every file of the table exists.

use std::collections::BTreeSet;
use std::path::Path;

use super::metadata;
use super::modules::Modules;
use super::sources::programs;

/// Sections of the page, each with the most files that something new may touch.
const SECTIONS: [(&str, usize); 6] =
    [("A format", 3), ("A source", 4), (CUT, 5), ("A planning policy", 6), ("A cache policy", 5), ("A call", 7)];
/// What one cut is for stands in more files than a new cut has to touch: there only the files of the table are looked
/// at.
const CUT: &str = "A cut";

/// One section of the page.
struct Section<'a> {
    title: &'a str,
    /// The name that stands for the example in the code.
    example: &'a str,
    files: BTreeSet<String>,
}

#[test]
fn whatever_is_added_touches_the_files_that_the_page_lists() {
    let root = metadata().workspace_root.into_std_path_buf();
    let page = std::fs::read_to_string(root.join("docs/architecture/adding.md")).unwrap();
    let sections: Vec<_> = page.split("\n## ").skip(1).map(Section::read).collect();
    assert_eq!(sections.len(), SECTIONS.len());
    for (section, (title, most)) in sections.iter().zip(SECTIONS) {
        assert_eq!(section.title, title);
        assert!(section.files.len() <= most, "{title}: {} files, of {most}", section.files.len());
        for file in &section.files {
            assert!(root.join(file).exists(), "{title}: there is no {file}");
        }
        let naming = naming(&root, section.example);
        assert!(!naming.is_empty(), "{title}: nothing is named {}", section.example);
        let listed = |file: &&String| section.files.iter().any(|listed| file.starts_with(listed.as_str()));
        let (in_table, elsewhere): (Vec<_>, Vec<_>) = naming.iter().partition(listed);
        if title == CUT {
            assert_eq!(in_table.len(), section.files.len(), "{title}: only {in_table:?} name {}", section.example);
        } else {
            assert!(elsewhere.is_empty(), "{title}: {} is also named in {elsewhere:?}", section.example);
        }
    }
}

// === impl Section ===

impl<'a> Section<'a> {
    /// Reads a section: its title, its example in backticks behind the word, and a table of files.
    fn read(text: &'a str) -> Self {
        let title = text.lines().next().unwrap_or_default();
        let (_, behind) = text.split_once("Example: `").unwrap_or_else(|| panic!("{title} has no example"));
        let example = behind.split('`').next().unwrap_or_default();
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        Self { title, example, files: rows.map(str::to_owned).collect() }
    }
}

/// Files of programs and of the protocol that name something, tests and documentation aside.
fn naming(root: &Path, name: &str) -> BTreeSet<String> {
    let within = |path: &Path| path.strip_prefix(root).expect("files lie in the workspace").display().to_string();
    let mut files = BTreeSet::new();
    for root in programs() {
        let modules = Modules::read(&root);
        files.extend(modules.naming(name).into_iter().map(|file| within(&modules.files[file])));
    }
    for proto in std::fs::read_dir(root.join("proto/headwater/v1")).unwrap() {
        let path = proto.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        let mut words = code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
        let value = format!("_{}", name.to_uppercase());
        if words.any(|word| word == name || word.ends_with(&value)) {
            files.insert(within(&path));
        }
    }
    files
}
