//! Every setting of all three programs. Each links its own arguments only, yet one file and one environment may serve
//! them all: what another of them reads is no mistake.
//!
//! `known.txt` is written from the programs' clap commands by `tests/tests/commands.rs`, which fails where it is out of
//! date.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::sync::LazyLock;

use super::schema::{Schema, Setting};

/// A line for each: program, dotted key, variable.
const TABLE: &str = include_str!("known.txt");

/// Variables that are no setting: where the configuration is, and what builds, tests and scripts read.
const OTHER_VARIABLES: [&str; 7] = [
    "HEADWATER_CONFIG",
    "HEADWATER_COMMIT",
    "HEADWATER_BLESS",
    "HEADWATER_TEST_DATA",
    "HEADWATER_PYTHON",
    "HEADWATER_BIN",
    "HEADWATER_WHEEL",
];

static KEYS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| column(1));
static VARIABLES: LazyLock<BTreeSet<&'static str>> =
    LazyLock::new(|| column(2).into_iter().chain(OTHER_VARIABLES).collect());

fn column(index: usize) -> BTreeSet<&'static str> {
    TABLE.lines().filter_map(|line| line.split(' ').nth(index)).collect()
}

/// Whether some program reads this key of this table; at the top of a file, whether some program has it anywhere.
pub(super) fn is_a_key(table: &[String], key: &str) -> bool {
    let dotted = table.iter().map(String::as_str).chain([key]).collect::<Vec<_>>().join(".");
    let anywhere = |known: &&str| known.rsplit('.').next() == Some(key);
    KEYS.contains(dotted.as_str()) || table.is_empty() && KEYS.iter().any(anywhere)
}

/// Whether some program has settings in this table.
pub(super) fn has_table(dotted: &str) -> bool {
    KEYS.iter().any(|known| known.strip_prefix(dotted).is_some_and(|rest| rest.starts_with('.')))
}

/// A variable that looks like a setting, and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVariable {
    /// The variable's name.
    pub name: String,
    /// The known one that looks most like it.
    pub nearest: Option<String>,
}

/// The variables that no program of Headwater reads, though their names begin with `HEADWATER_`.
pub fn unknown_variables(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<UnknownVariable> {
    let unknown = |(name, value): (OsString, OsString)| {
        let name = name.into_string().ok().filter(|name| name.starts_with("HEADWATER_"))?;
        let is_known = VARIABLES.contains(name.as_str()) || is_of_kubernetes(&name, &value);
        let nearest = closest(&name, VARIABLES.iter().copied());
        (!is_known).then_some(UnknownVariable { name, nearest })
    };
    let mut unknown: Vec<UnknownVariable> = variables.into_iter().filter_map(unknown).collect();
    unknown.sort_by(|a, b| a.name.cmp(&b.name));
    unknown
}

/// Whether Kubernetes has set a variable, for a service whose name begins with `headwater`.
fn is_of_kubernetes(name: &str, value: &OsStr) -> bool {
    let is_address = value.to_str().is_some_and(|value| value.starts_with("tcp://") || value.starts_with("udp://"));
    ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"].iter().any(|part| name.contains(part))
        || name.ends_with("_PORT") && is_address
}

// === impl UnknownVariable ===

impl std::fmt::Display for UnknownVariable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no program of Headwater reads the variable {}", self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean {nearest}?"),
            None => Ok(()),
        }
    }
}

/// The known key that looks most like an unknown one: the same name in another table, else the fewest edits, at most a
/// third of it.
pub(super) fn nearest(schema: &Schema, dotted: &str, key: &str) -> Option<String> {
    let own = schema.settings.iter().map(|setting| (setting.dotted(), setting.key.clone()));
    let elsewhere = schema.settings.iter().find(|setting| setting.key == key).map(Setting::dotted);
    elsewhere.or_else(|| {
        let of_others = KEYS.iter().map(|known| {
            let key = known.rsplit('.').next().unwrap_or(known);
            ((*known).to_owned(), key.to_owned())
        });
        let closest = |(full, name): (String, String)| {
            // Of two that are as near, the one of the same table.
            let (whole, edits) = (edits(dotted, &full), edits(dotted, &full).min(edits(key, &name)));
            (edits * 3 <= key.chars().count().max(3)).then_some((edits, whole, full))
        };
        let own = own.filter_map(closest).min();
        own.or_else(|| of_others.filter_map(closest).min()).map(|(.., key)| key)
    })
}

/// The known variable that looks most like an unknown one: the fewest edits, at most a third of what follows
/// `HEADWATER_`.
fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = |known: &'a str| {
        let edits = edits(name, known);
        (edits * 3 <= name.len().saturating_sub("HEADWATER_".len()).max(3)).then_some((edits, known))
    };
    known.filter_map(near).min().map(|(_, known)| known.to_owned())
}

/// Levenshtein's distance, row by row.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_nobody_reads_are_found_with_the_nearest_name() {
        let set = [
            ("PATH", "/bin"),
            ("HEADWATER_CPU_WORKERS", "2"),
            ("HEADWATER_CPU_WROKERS", "2"),
            ("HEADWATER_ZEBRA", "1"),
            ("HEADWATER_CONFIG", "server.toml"),
            ("HEADWATER_SERVICE_HOST", "10.0.0.7"),
            ("HEADWATER_PORT", "tcp://10.0.0.7:7440"),
            ("HEADWATER_PORT_7440_TCP_ADDR", "10.0.0.7"),
        ];
        let found = unknown_variables(set.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(
            found.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "no program of Headwater reads the variable HEADWATER_CPU_WROKERS; did you mean HEADWATER_CPU_WORKERS?",
                "no program of Headwater reads the variable HEADWATER_ZEBRA",
            ]
        );
    }
}
