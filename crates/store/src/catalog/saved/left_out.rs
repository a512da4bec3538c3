//! What a listing left out, as bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use headwater_types::caps::{LISTED_NAMES, LISTED_SUFFIXES};

use super::super::Skipped;
use crate::kept::{Reader, Writer, damaged};
use crate::skip::Skip;

pub(super) fn write(skipped: &Skipped, out: &mut Writer<'_>) -> io::Result<()> {
    out.u64(skipped.iter().count() as u64)?;
    for (reason, count) in skipped.iter() {
        out.text(reason.as_str())?;
        out.u64(count)?;
        out.u64(skipped.first(reason).count() as u64)?;
        skipped.first(reason).try_for_each(|name| out.text(name))?;
    }
    out.u64(skipped.suffixes().count() as u64)?;
    for (suffix, count) in skipped.suffixes() {
        out.text(suffix)?;
        out.u64(count)?;
    }
    Ok(())
}

pub(super) fn read(from: &mut Reader<'_>) -> io::Result<Skipped> {
    let mut skipped = Skipped::default();
    for _ in 0..from.count(24, Skip::ALL.len() as u64)? {
        let name = from.text()?;
        let reason = Skip::ALL.into_iter().find(|reason| reason.as_str() == name);
        let reason = reason.ok_or_else(|| damaged("there is no such reason"))?;
        let count = from.u64()?;
        let first = from.count(8, LISTED_NAMES as u64)?;
        let first: BTreeSet<_> = (0..first).map(|_| from.text()).collect::<io::Result<_>>()?;
        skipped.set(reason, count, first);
    }
    // Two more count those that are too many, and those without a suffix.
    let suffixes = from.count(16, LISTED_SUFFIXES as u64 + 2 + Skip::ALL.len() as u64)?;
    let suffix = |_| Ok((from.text()?, from.u64()?));
    let suffixes: BTreeMap<_, _> = (0..suffixes).map(suffix).collect::<io::Result<_>>()?;
    skipped.set_suffixes(suffixes);
    Ok(skipped)
}
