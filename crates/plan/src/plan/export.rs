//! A plan in SOPHON's own form: `index,split`, with its numbers from -1 to 4.

use std::io;

use headwater_types::Way;

use super::Plan;
use crate::sophon;

/// Some samples of the plan travel by ways that SOPHON has no number for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "SOPHON has no number for {}: it knows encoded (-1), decoded (0), cropped (1), flipped (2), tensor (3) and \
     normalized (4), \
     raw; plan with --allow-cuts encoded,decoded+raw,cropped+raw,flipped+raw,tensor,normalized for a plan that it can \
     follow",
    list(ways)
)]
pub struct NoSophonNumber {
    /// The ways, with how many samples travel by each.
    pub ways: Vec<(Way, u64)>,
}

fn list(ways: &[(Way, u64)]) -> String {
    let ways: Vec<_> = ways.iter().map(|(way, samples)| format!("{way} ({samples} samples)")).collect();
    ways.join(", ")
}

// === impl Plan ===

impl Plan {
    /// Each sample's SOPHON number, in order.
    ///
    /// # Errors
    /// [`NoSophonNumber`] where a sample travels by a way that SOPHON does not have: to give it another number would be
    /// another plan.
    pub fn sophon_numbers(&self) -> Result<impl Iterator<Item = i8> + '_, NoSophonNumber> {
        let mut ways = self.counts();
        ways.retain(|&(way, _)| sophon::number(way).is_none());
        if !ways.is_empty() {
            return Err(NoSophonNumber { ways });
        }
        // Every way that is in use has a number.
        Ok(self.iter().map(|way| sophon::number(way).unwrap_or(-1)))
    }

    /// Writes `index,split` lines with a header, as CSV.
    ///
    /// # Errors
    /// Those of the writer; [`NoSophonNumber`], as the cause of one, before anything is written.
    pub fn write_sophon_csv(&self, writer: &mut impl io::Write) -> io::Result<()> {
        let numbers = self.sophon_numbers().map_err(io::Error::other)?;
        writer.write_all(b"index,split\n")?;
        for (index, number) in numbers.enumerate() {
            writeln!(writer, "{index},{number}")?;
        }
        Ok(())
    }
}
