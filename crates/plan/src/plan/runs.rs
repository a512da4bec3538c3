//! The runs of a plan's file: a line for samples that follow each other and travel alike.

use std::fmt;

use headwater_types::Way;

use super::Plan;
use super::error::PlanFileError;

/// Writes a line for each run of a plan.
pub(super) fn write(plan: &Plan, out: &mut impl fmt::Write) -> fmt::Result {
    let mut first = 0;
    for run in plan.choices.chunk_by(|a, b| a == b) {
        let (last, way) = (first + run.len() - 1, plan.ways[usize::from(run[0])]);
        if first == last {
            writeln!(out, "{first} {way}")?;
        } else {
            writeln!(out, "{first}-{last} {way}")?;
        }
        first = last + 1;
    }
    Ok(())
}

/// Reads the runs: the ways, and for each sample the position of its way among them.
pub(super) fn parse(body: &str, first_line: u64, samples: u64) -> Result<(Vec<Way>, Vec<u8>), PlanFileError> {
    // What the head claims is not yet memory.
    let (mut ways, mut choices) = (Vec::new(), Vec::with_capacity(samples.min(1 << 20) as usize));
    for (line, text) in (first_line..).zip(body.lines()) {
        let wrong = || PlanFileError::Run { line, text: text.chars().take(64).collect() };
        let (run, way) = text.trim_end().split_once(' ').ok_or_else(wrong)?;
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let (first, last) = (number(first).ok_or_else(wrong)?, number(last).ok_or_else(wrong)?);
        let expected = choices.len() as u64;
        if first != expected || last < first {
            return Err(PlanFileError::Order { line, expected, given: if first == expected { last } else { first } });
        }
        if last >= samples {
            return Err(PlanFileError::Samples { expected: samples, given: last.saturating_add(1) });
        }
        let way: Way = way.parse().map_err(|error| PlanFileError::Way { line, error })?;
        let choice = ways.iter().position(|known| *known == way).unwrap_or_else(|| {
            ways.push(way);
            ways.len() - 1
        });
        // There are eleven ways, and at most as many samples as fit in memory.
        choices.resize(last as usize + 1, choice as u8);
    }
    let given = choices.len() as u64;
    if given != samples {
        return Err(PlanFileError::Samples { expected: samples, given });
    }
    Ok((ways, choices))
}

fn number(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}
