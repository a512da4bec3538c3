//! Planners that look at no resource: one way for all, or the fewest bytes.

use crate::cost::CostModel;
use crate::error::PlanningError;

/// Every sample by the way at `position`.
pub(super) fn uniform(model: &CostModel<'_>, position: usize) -> Result<Vec<u8>, PlanningError> {
    let profile = model.profile;
    for server in 0..profile.servers().len() {
        for index in profile.samples_of(server) {
            if let Some(lacking) = model.lacking(server, profile.row(index).load(position)) {
                return Err(PlanningError::NoWay { index, tried: vec![profile.ways()[position]], lacking });
            }
        }
    }
    Ok(vec![position as u8; profile.len()])
}

/// Each sample by whichever allowed way has the fewest bytes; of two, the one with less storage CPU.
pub(super) fn minimum_bytes(model: &CostModel<'_>, allowed: &[usize]) -> Result<Vec<u8>, PlanningError> {
    let profile = model.profile;
    let mut choices = vec![0; profile.len()];
    for server in 0..profile.servers().len() {
        for index in profile.samples_of(server) {
            let row = profile.row(index);
            let possible =
                allowed.iter().copied().filter(|&position| model.lacking(server, row.load(position)).is_none());
            let smallest = possible
                .min_by(|&a, &b| row.bytes[a].cmp(&row.bytes[b]).then(row.storage[a].total_cmp(&row.storage[b])));
            choices[index] = match smallest {
                Some(position) => position as u8,
                None => return Err(model.no_way(server, index, allowed)),
            };
        }
    }
    Ok(choices)
}
