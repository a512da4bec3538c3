//! Planners that look at no resource: one way for all samples, or the fewest bytes for each.

use crate::cost::{CostModel, Load};
use crate::error::PlanningError;

/// Choices that have every sample travel by the way at `position`.
pub(super) fn uniform(model: &CostModel<'_>, position: usize) -> Result<Vec<u8>, PlanningError> {
    let profile = model.profile;
    for server in (0..profile.servers().len()).filter(|&server| model.is_restricted(server)) {
        for index in profile.samples_of(server) {
            if let Some(lacking) = model.lacking(server, position, profile.row(index).load(position)) {
                return Err(PlanningError::NoWay { index, tried: vec![profile.ways()[position]], lacking });
            }
        }
    }
    Ok(vec![position as u8; profile.len()])
}

/// Of the allowed ways that every sample can take, the one with the shortest epoch.
pub(super) fn best_uniform(model: &CostModel<'_>, allowed: &[usize]) -> Option<Vec<u8>> {
    let epochs = model.uniform_loads().into_iter().enumerate().filter(|(position, loads)| {
        let possible = |(server, load): (usize, &Load)| model.lacking(server, *position, *load).is_none();
        allowed.contains(position) && loads.iter().enumerate().all(possible)
    });
    let epochs = epochs.map(|(position, loads)| (position, CostModel::epoch(&model.seconds(&loads))));
    let (best, _) = epochs.min_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(vec![best as u8; model.profile.len()])
}

/// Choices that have each sample travel by the allowed way with the fewest bytes, and of two such ways by the one with
/// less storage CPU.
pub(super) fn minimum_bytes(model: &CostModel<'_>, allowed: &[usize]) -> Result<Vec<u8>, PlanningError> {
    let profile = model.profile;
    let mut choices = vec![0; profile.len()];
    for server in 0..profile.servers().len() {
        let restricted = model.is_restricted(server);
        for index in profile.samples_of(server) {
            let row = profile.row(index);
            let mut smallest: Option<usize> = None;
            for &position in allowed {
                let less =
                    |best: usize| (row.bytes[position], row.storage[position]) < (row.bytes[best], row.storage[best]);
                if smallest.is_none_or(less)
                    && !(restricted && model.lacking(server, position, row.load(position)).is_some())
                {
                    smallest = Some(position);
                }
            }
            choices[index] = match smallest {
                Some(position) => position as u8,
                None => return Err(model.no_way(server, index, allowed)),
            };
        }
    }
    Ok(choices)
}
